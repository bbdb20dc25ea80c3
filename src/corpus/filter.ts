/**
 * Quality filters, by kind of document. Web defaults would drop 76% of trial reports and 99.8% of guidelines (their words are
 * numbers, their lines repeat), so each kind has limits of its own, wide enough to pass sound medical text; a recipe changes any.
 *
 * @see Rae et al. 2021 (Gopher), arXiv:2112.11446, A1.1; Penedo et al. 2024 (FineWeb), arXiv:2406.17557
 */
import type { FilterProfile } from "./config.ts";
import type { Document, DocumentKind, Drop } from "./document.ts";
import { ngramHashes, WordBuffer } from "./words.ts";

export const FILTER_PROFILES: Readonly<Record<DocumentKind, FilterProfile>> = {
  guideline: { minWords: 30, minAlphabeticFraction: 0.4, maxDuplicateLineFraction: 0.5, maxReplacementFraction: 0.01 },
  abstract: { minWords: 10, minAlphabeticFraction: 0.4, maxReplacementFraction: 0.01 },
  paper: {
    minWords: 100,
    minAlphabeticFraction: 0.4,
    maxDuplicateLineFraction: 0.5,
    maxDuplicateTenGramFraction: 0.3,
    maxReplacementFraction: 0.01,
  },
  replay: {
    minWords: 20,
    maxWords: 1_000_000,
    minMeanWordLength: 2.5,
    maxMeanWordLength: 12,
    minAlphabeticFraction: 0.5,
    maxSymbolFraction: 0.1,
    maxDuplicateLineFraction: 0.3,
    maxDuplicateParagraphFraction: 0.3,
    maxTopBigramFraction: 0.2,
    maxDuplicateTenGramFraction: 0.15,
    maxEllipsisLineFraction: 0.3,
  },
  other: { minWords: 10, minAlphabeticFraction: 0.4, maxReplacementFraction: 0.01 },
};

/** What is measured of a text; each limit of a profile refers to one of these. */
export interface TextMeasures {
  words: number;
  meanWordLength: number;
  /** Share of words with a letter. */
  alphabetic: number;
  /** `#` and ellipses, per word. */
  symbols: number;
  /** Share of lines that stood before; blank lines do not count. */
  duplicateLines: number;
  duplicateParagraphs: number;
  /** Share of words within the commonest pair of words. */
  topBigram: number;
  /** Share of 10-grams of words that stood before. */
  duplicateTenGrams: number;
  /** Share of lines that end in an ellipsis. */
  ellipsisLines: number;
  /** Share of characters that are U+FFFD: damaged encoding. */
  replacements: number;
  stopWords: number;
}

const STOP_WORDS = new Set(["the", "be", "to", "of", "and", "that", "have", "with", "is", "in", "for", "are"]);
const buffer = new WordBuffer();
let grams = new Uint32Array(1 << 14);

/** 1 for UTF-16 units that are (part of) a letter, 2 for white space. */
const CLASS = unitClasses();

function unitClasses(): Uint8Array {
  const classes = new Uint8Array(65536);
  for (let unit = 0; unit < 65536; unit++) {
    const character = String.fromCharCode(unit);
    if (/\p{L}/u.test(character) || (unit >= 0xd800 && unit <= 0xdfff)) classes[unit] = 1;
    else if (/\s/.test(character)) classes[unit] = 2;
  }
  return classes;
}

/** Words between white space, their characters, and how many of them have a letter. */
function countWords(text: string): { words: number; characters: number; alphabetic: number } {
  let words = 0;
  let characters = 0;
  let alphabetic = 0;
  let inWord = false;
  let hasLetter = false;
  for (let i = 0; i < text.length; i++) {
    const kind = CLASS[text.charCodeAt(i)]!;
    if (kind === 2) {
      inWord = false;
      continue;
    }
    if (!inWord) {
      inWord = true;
      hasLetter = false;
      words++;
    }
    characters++;
    if (kind === 1 && !hasLetter) {
      hasLetter = true;
      alphabetic++;
    }
  }
  return { words, characters, alphabetic };
}

/** Counts equal numbers: how many distinct ones there are, and how often the commonest stands. */
function countEqual(values: Uint32Array): { distinct: number; top: number } {
  const slots = 2 ** Math.ceil(Math.log2(Math.max(2, 2 * values.length)));
  const keys = new Uint32Array(slots);
  const counts = new Uint32Array(slots);
  let distinct = 0;
  let top = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    let slot = value & (slots - 1);
    while (counts[slot] !== 0 && keys[slot] !== value) slot = (slot + 1) & (slots - 1);
    if (counts[slot] === 0) {
      keys[slot] = value;
      distinct++;
    }
    const count = ++counts[slot]!;
    if (count > top) top = count;
  }
  return { distinct, top };
}

/** Measures a text: only what the profile asks for costs time. */
export function measureText(text: string, profile: FilterProfile): Partial<TextMeasures> {
  const { words, characters, alphabetic } = countWords(text);
  const measures: Partial<TextMeasures> = { words };
  const perWord = (count: number) => count / Math.max(1, words);
  measures.meanWordLength = perWord(characters);
  measures.alphabetic = perWord(alphabetic);
  if (profile.maxSymbolFraction !== undefined) measures.symbols = perWord(text.match(/#|…|\.\.\./g)?.length ?? 0);
  if (profile.maxDuplicateLineFraction !== undefined) measures.duplicateLines = duplicateFraction(text.split("\n"));
  if (profile.maxDuplicateParagraphFraction !== undefined)
    measures.duplicateParagraphs = duplicateFraction(text.split(/\n{2,}/));
  if (profile.maxTopBigramFraction !== undefined || profile.maxDuplicateTenGramFraction !== undefined) {
    const count = buffer.scan(text);
    if (grams.length < count) grams = new Uint32Array(2 * count);
    if (profile.maxTopBigramFraction !== undefined) {
      const { top } = countEqual(grams.subarray(0, ngramHashes(buffer, 2, grams)));
      measures.topBigram = top < 2 ? 0 : (2 * top) / count;
    }
    if (profile.maxDuplicateTenGramFraction !== undefined) {
      const total = ngramHashes(buffer, 10, grams);
      measures.duplicateTenGrams = total === 0 ? 0 : 1 - countEqual(grams.subarray(0, total)).distinct / total;
    }
  }
  if (profile.maxEllipsisLineFraction !== undefined) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    measures.ellipsisLines = lines.filter((line) => /(?:…|\.\.\.)\s*$/.test(line)).length / Math.max(1, lines.length);
  }
  if (profile.maxReplacementFraction !== undefined)
    measures.replacements = text.includes("\ufffd") ? text.split("\ufffd").length / text.length : 0;
  if (profile.minStopWords !== undefined)
    measures.stopWords = (text.match(/\S+/g) ?? []).filter((word) => STOP_WORDS.has(word.toLowerCase())).length;
  return measures;
}

function duplicateFraction(parts: string[]): number {
  const filled = parts.map((part) => part.trim()).filter((part) => part !== "");
  return filled.length === 0 ? 0 : 1 - new Set(filled).size / filled.length;
}

interface Limit {
  rule: string;
  limit: keyof FilterProfile;
  measure: keyof TextMeasures;
  reason: (value: string, threshold: string) => string;
}

const percent = (fraction: number) => `${(100 * fraction).toFixed(1)}%`;
const show = (limit: Limit, value: number) =>
  limit.limit.endsWith("Fraction") ? percent(value) : String(Math.round(value * 100) / 100);

const LIMITS: readonly Limit[] = [
  { rule: "filter.too-few-words", limit: "minWords", measure: "words", reason: (v, t) => `${v} words, fewer than ${t}` },
  { rule: "filter.too-many-words", limit: "maxWords", measure: "words", reason: (v, t) => `${v} words, more than ${t}` },
  { rule: "filter.short-words", limit: "minMeanWordLength", measure: "meanWordLength", reason: (v, t) => `words of ${v} characters on average, fewer than ${t}` },
  { rule: "filter.long-words", limit: "maxMeanWordLength", measure: "meanWordLength", reason: (v, t) => `words of ${v} characters on average, more than ${t}` },
  { rule: "filter.not-alphabetic", limit: "minAlphabeticFraction", measure: "alphabetic", reason: (v, t) => `${v} of the words have a letter, fewer than ${t}` },
  { rule: "filter.symbols", limit: "maxSymbolFraction", measure: "symbols", reason: (v, t) => `${v} symbols a word, more than ${t}` },
  { rule: "filter.duplicate-lines", limit: "maxDuplicateLineFraction", measure: "duplicateLines", reason: (v, t) => `${v} of the lines repeat an earlier one, more than ${t}` },
  { rule: "filter.duplicate-paragraphs", limit: "maxDuplicateParagraphFraction", measure: "duplicateParagraphs", reason: (v, t) => `${v} of the paragraphs repeat an earlier one, more than ${t}` },
  { rule: "filter.top-bigram", limit: "maxTopBigramFraction", measure: "topBigram", reason: (v, t) => `one pair of words is ${v} of the text, more than ${t}` },
  { rule: "filter.duplicate-10-grams", limit: "maxDuplicateTenGramFraction", measure: "duplicateTenGrams", reason: (v, t) => `${v} of the 10-grams repeat an earlier one, more than ${t}` },
  { rule: "filter.ellipsis-lines", limit: "maxEllipsisLineFraction", measure: "ellipsisLines", reason: (v, t) => `${v} of the lines end in an ellipsis, more than ${t}` },
  { rule: "filter.damaged-encoding", limit: "maxReplacementFraction", measure: "replacements", reason: (v, t) => `${v} of the characters are replacement marks, more than ${t}` },
  { rule: "filter.stop-words", limit: "minStopWords", measure: "stopWords", reason: (v, t) => `${v} stop words, fewer than ${t}` },
]; // biome-ignore format: a table

/** The profiles that hold when a recipe changes some limits. */
export function filterProfiles(
  overrides: Partial<Record<DocumentKind, FilterProfile | undefined>>,
): Record<DocumentKind, FilterProfile> {
  const kinds = Object.keys(FILTER_PROFILES) as DocumentKind[];
  return Object.fromEntries(kinds.map((kind) => [kind, { ...FILTER_PROFILES[kind], ...overrides[kind] }])) as Record<
    DocumentKind,
    FilterProfile
  >;
}

/** Every limit that a document breaks, in the order of `LIMITS`; the first is the one it is dropped by. */
export function brokenLimits(document: Document, profile: FilterProfile): Drop[] {
  const measures = measureText(document.text, profile);
  const drops: Drop[] = [];
  for (const limit of LIMITS) {
    const threshold = profile[limit.limit];
    const value = measures[limit.measure];
    if (threshold === undefined || value === undefined) continue;
    if (limit.limit.startsWith("min") ? value >= threshold : value <= threshold) continue;
    drops.push({
      id: document.id,
      source: document.source,
      rule: limit.rule,
      value: Math.round(value * 10_000) / 10_000,
      threshold,
      reason: limit.reason(show(limit, value), show(limit, threshold)),
      title: document.title,
      characters: document.text.length,
    });
  }
  return drops;
}

export interface FilterPreview {
  documents: number;
  /** Documents that at least one rule would remove. */
  dropped: number;
  rules: { rule: string; documents: number; onlyByThis: number; samples: Drop[] }[];
}

/** What filters would remove, before they are applied: by rule, and how many documents no other rule would remove. */
export async function previewFilters(
  documents: AsyncIterable<Document> | Iterable<Document>,
  overrides: Partial<Record<DocumentKind, FilterProfile | undefined>> = {},
  samples = 5,
): Promise<FilterPreview> {
  const profiles = filterProfiles(overrides);
  const rules = new Map<string, FilterPreview["rules"][number]>();
  const preview: FilterPreview = { documents: 0, dropped: 0, rules: [] };
  for await (const document of documents) {
    preview.documents++;
    const drops = brokenLimits(document, profiles[document.kind]);
    if (drops.length > 0) preview.dropped++;
    for (const drop of drops) {
      const entry = rules.get(drop.rule) ?? { rule: drop.rule, documents: 0, onlyByThis: 0, samples: [] };
      entry.documents++;
      if (drops.length === 1) entry.onlyByThis++;
      if (entry.samples.length < samples) entry.samples.push(drop);
      rules.set(drop.rule, entry);
    }
  }
  preview.rules = [...rules.values()].sort((a, b) => b.documents - a.documents || (a.rule < b.rule ? -1 : 1));
  return preview;
}
