import fc from "fast-check";
import { expect, test } from "vitest";
import { countCharacters } from "../formatting/ledger.ts";
import { collapseSpace } from "../formatting/space.ts";
import { parseXml, textOf, type XmlElement, XmlError } from "./xml.ts";

const failure = (source: string, options = {}): { message: string; at: number } => {
  try {
    parseXml(source, options);
  } catch (error) {
    if (error instanceof XmlError) return { message: error.message, at: error.at };
  }
  throw new Error("it parsed");
};

test("text of any kind is decoded, collapsed and counted as its characters are, entity or not", () => {
  const entity = {
    none: (point: number) => `&#${point};`,
    decimal: (point: number) => `&#${point};`,
    hexadecimal: (point: number) => `&#x${point.toString(16).padStart(5, "0")};`,
  };
  const escaped = (text: string, entities: keyof typeof entity) =>
    text.replace(/[\s\S]/gu, (sign) =>
      sign === "<" || sign === "&" || sign === ">" || (entities !== "none" && sign > "~")
        ? entity[entities](sign.codePointAt(0)!)
        : sign,
    );
  // Surrogates alone are not text, U+0000 to U+001F cannot be written as entities.
  const text = fc
    .array(
      fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("  ", "\n\t", "\u00a0", "\u00ad", "\u200b ", "0.5")),
    )
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, fc.constantFrom("none", "decimal", "hexadecimal"), (content, entities) => {
      const source = escaped(content, entities as keyof typeof entity);
      const element = parseXml(`<p>${source}</p>`, { count: true });
      expect(textOf(element)).toBe(collapseSpace(content));
      expect(element.characters).toBe(countCharacters(content));
      // Where it is counted only.
      const excerpt = { path: ["b", "c"] as const, kept: new Map() };
      const bare = parseXml(`<a><b><c>${source}<d>${source}</d></c></b></a>`, { count: true, excerpt });
      expect(bare.characters).toBe(2 * countCharacters(content));
      expect(textOf(bare)).toBe("");
    }),
    { seed: 8 },
  );
});

test("elements hold their children in order, and the characters of all below", () => {
  const tree = parseXml("<a>x<m:b k='>1'>y&amp;z</m:b><c/> <d><![CDATA[<w>]]></d >\n\n</a>", { count: true });
  const shape = (node: XmlElement | string): unknown =>
    typeof node === "string" ? node : [node.name, node.characters, ...node.children.map(shape)];
  expect(shape(tree)).toEqual(["a", 7, "x", ["b", 3, "y&z"], ["c", 0], " ", ["d", 3, "<w>"], " "]);
});

test("of an excerpt, what is named is kept whole and the rest is counted", () => {
  const excerpt = {
    path: ["b", "c"] as const,
    kept: new Map([["r", "element"] as const, ["t", "text"] as const]),
  };
  const shape = (node: XmlElement | string): unknown =>
    typeof node === "string" ? node : [node.name, node.characters, node.attributes, ...node.children.map(shape)];
  const source = `<a>1<b>2<c k="v">3<r i="1"/>4<x/><y j="2">55<t h="3">6<z>7</z></t>8<r>9</r></y><y>0</y></c>3<y>4</y></b><c>5</c></a>`;
  expect(shape(parseXml(source, { count: true, excerpt }))).toEqual([
    "a",
    14,
    "",
    "1",
    [
      "b",
      12,
      "",
      "2",
      ["c", 9, ' k="v"', ["r", 0, ' i="1"/'], ["y", 6, "", ["t", 2, ' h="3"', "6", ["z", 1, "", "7"]], ["r", 1, ""]]],
      "3",
      ["y", 1, "", "4"],
    ],
    ["c", 1, "", "5"],
  ]);
  // Damage is found there as elsewhere.
  expect(failure("<a><b><c><x><y></x></c></b></a>", { count: true, excerpt }).message).toBe("</x> where </y> is due");
});

test("errors name the byte, not the character", () => {
  expect(failure("<a>µµ<b></a>")).toEqual({ message: "</a> where </b> is due", at: 10 });
  expect(failure("<a>µ</a><a/>", { whole: true })).toEqual({ message: "something stands behind <a>", at: 9 });
  expect(failure("<a>µ<b")).toEqual({ message: "a start tag that does not end", at: 5 });
  expect(failure("<a><µµ></a></µµ>").message).toBe("</a> where </µµ> is due");
});
