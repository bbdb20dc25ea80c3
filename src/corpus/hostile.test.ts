import { expect, test } from "vitest";
import { CLEANING_PROFILES, cleanText } from "./clean.ts";
import { findIdentifiers } from "./deidentify.ts";
import { readPage } from "./html-main.ts";
import { parseRobots } from "./sources/guidelines/robots.ts";

/** A pattern that takes quadratic time needs minutes for one of these; all of ours need milliseconds. */
const RUNS = [
  "<", "[", "[1,", "(http://a", "\n \n", "- ", "- a\no  b\n", "&a", "![](", "|-", "> ", "a ", "a@a", "(555) ", "1 ", "Aa ", "Dr. Ab ", "A", "1", "#",
]; // biome-ignore format: a list
const LONG = 200_000;

test.each([
  ...RUNS.map((part) => part.repeat(LONG / part.length)),
  `${" ".repeat(LONG)}x`,
  `MRN${" ".repeat(LONG)}`,
  `${"\t".repeat(LONG)}x`,
])("cleaning and de-identification of a hostile text end (%#)", { timeout: 30_000 }, (text) => {
  const started = Date.now();
  cleanText(text, CLEANING_PROFILES.guideline);
  findIdentifiers(text);
  expect(Date.now() - started).toBeLessThan(10_000);
});

test.each([
  ["<div>", 20_000],
  ["<ul><li>", 3000],
  ["<sup>", 20_000],
  ["<table><tr><td>", 3000],
])("a page of %s nested %i deep is read", { timeout: 30_000 }, (tag, depth) => {
  expect(readPage(`<body><p>before</p>${tag.repeat(depth)}within`).text).toMatch(/^before[\s\S]*within/);
});

test("a robots.txt of stars takes no time", () => {
  const rules = parseRobots(`User-agent: *\nDisallow: /${"*a".repeat(60)}b`, "x");
  expect(rules.allows(`/${"a".repeat(5000)}`)).toBe(true);
});

test.each([
  ["Disallow: /private/", "/private/x", false],
  ["Disallow: /private/", "/private", true],
  ["Disallow: /*.pdf$", "/a/b.pdf", false],
  ["Disallow: /*.pdf$", "/a/b.pdf?x", true],
  ["Disallow: /a\nAllow: /a/open", "/a/open/x", true],
  ["Disallow: /a*b$", "/ab", false],
  ["Disallow:", "/anything", true],
  ["Disallow: /\nUser-agent: meditron-corpus\nAllow: /", "/x", true],
])("robots.txt %j: %s → %s", (rules, path, allowed) =>
  expect(parseRobots(`User-agent: *\n${rules}`, "meditron-corpus").allows(path)).toBe(allowed),
);
