/**
 * Normalisation and pre-tokenization: text → words that BPE treats one by one.
 *
 * The rules that Llama, Mistral, Qwen and GPT tokenizers use run here in plain TypeScript, an order of magnitude faster than
 * a call into the native library a piece. Wherever ours and the original could differ (rules we do not know, and scripts where
 * Unicode versions of the two engines may disagree) the native rule runs instead, so ids are the original's in every case.
 */
import type { Normalizer, PreTokenizer } from "tokenizers";
import type { Component } from "./tokenizer-json.ts";

/** Rewrites a piece of text. `first` says that it starts the document. */
export type Rewrite = (text: string) => string;

/** Plain text to be encoded byte by byte, text in vocabulary characters, or a whole text of them that is cut before each run of ▁. */
export type Words = { form: "bytes" | "characters"; words: string[] } | { form: "runs"; text: string };

export type Split = (text: string, first: boolean) => Words;

/** Lone surrogates cannot be written as UTF-8: U+FFFD takes their place, as in the native library. */
export function wellFormed(text: string): string {
  return /\p{Surrogate}/u.test(text) ? text.replace(/\p{Surrogate}/gu, "\ufffd") : text;
}

/**
 * Anything beyond Latin, Greek, Cyrillic and common punctuation, which were assigned long ago and case-fold to nothing
 * unexpected (ſ and K are out).
 */
const UNSETTLED =
  /[^\p{ASCII}\u0080-\u017e\u0180-\u024f\u0370-\u0373\u0384-\u03ff\u0400-\u04ff\u2000-\u206f\u20ac\u2122\u2190-\u22ff]/u;
/** Below U+0300 every text is its own NFC. */
const MAY_COMPOSE = /[^\p{ASCII}\u0080-\u02ff]/u;
const CONTRACTIONS_AND_RUNS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** @param native - The original's own normalizer, for whatever is not handled here. */
export function compileNormalizer(json: Component | null | undefined, native: Normalizer | null): Rewrite {
  if (!json || !native) return (text) => text;
  return rewriteOf(json) ?? ((text) => native.normalizeString(text));

  function rewriteOf(component: Component): Rewrite | undefined {
    switch (component.type) {
      case "Sequence": {
        const steps = (component.normalizers as Component[]).map(rewriteOf);
        if (steps.some((step) => step === undefined)) return undefined;
        return (text) => (steps as Rewrite[]).reduce((value, step) => step(value), text);
      }
      case "Prepend": {
        const prefix = component.prepend as string;
        return (text) => (text === "" ? "" : prefix + text);
      }
      case "Replace": {
        const pattern = component.pattern as { String?: string };
        if (!pattern.String) return undefined;
        return (text) => text.replaceAll(pattern.String!, () => component.content as string);
      }
      case "NFC":
        // A sequence whose only unsettled step is NFC could run it alone; no Llama relative has one.
        return component === json
          ? (text) => (MAY_COMPOSE.test(text) ? native!.normalizeString(text) : text)
          : undefined;
      default:
        return undefined;
    }
  }
}

/**
 * @param native - The original's own pre-tokenizer.
 * @param cutsBefore - Whether BPE can never merge across the space that precedes this character (SentencePiece's ▁).
 */
export function compileSplit(
  json: Component | null | undefined,
  native: PreTokenizer | null,
  cutsBefore: (character: string) => boolean,
): Split {
  const units: (text: string) => Words = cutsBefore("▁")
    ? (text) => ({ form: "runs", text })
    : (text) => ({ form: "characters", words: text === "" ? [] : [text] });
  if (!json || !native) return units;

  const fallback = (text: string): Words => ({
    words: native.preTokenizeString(text).map(([word]) => word),
    form: "characters",
  });
  if (json.type === "Metaspace") {
    const { replacement = "▁", prepend_scheme: scheme = "always", split = true } = json as Metaspace;
    if (replacement !== "▁") return fallback;
    return (text, first) => {
      if (text === "") return { words: [], form: "characters" };
      const marked = text.replaceAll(" ", replacement);
      const prefixed =
        (scheme === "always" || (scheme === "first" && first)) && !marked.startsWith(replacement)
          ? replacement + marked
          : marked;
      // Split: every ▁ starts a word of its own, runs of them included.
      return split ? { form: "characters", words: prefixed.match(/▁[^▁]*|[^▁]+/g) ?? [] } : units(prefixed);
    };
  }
  const cut = cutsOf(json);
  if (!cut) return fallback;
  return (text) => (UNSETTLED.test(text) ? fallback(text) : { words: cut(text), form: "bytes" });
}

interface Metaspace {
  replacement?: string;
  prepend_scheme?: "always" | "first" | "never";
  split?: boolean;
}

/** Words of a rule that ends in byte-level characters, still as plain text; undefined when a part of it is not known here. */
function cutsOf(json: Component): ((text: string) => string[]) | undefined {
  const parts = json.type === "Sequence" ? (json.pretokenizers as Component[]) : [json];
  const last = parts.at(-1);
  if (last?.type !== "ByteLevel") return undefined;
  const cuts: ((text: string) => string[])[] = [];
  for (const part of parts.slice(0, -1)) {
    if (part.type === "Split" && part.behavior === "Isolated" && part.invert === false) {
      const pattern = part.pattern as { Regex?: string };
      const regex = pattern.Regex === undefined ? undefined : toJavaScript(pattern.Regex);
      if (!regex) return undefined;
      cuts.push((text) => isolate(text, regex));
    } else if (part.type === "Digits") {
      const regex = part.individual_digits ? /\p{N}/gu : /\p{N}+/gu;
      cuts.push((text) => isolate(text, regex));
    } else return undefined;
  }
  if (last.add_prefix_space) cuts.push((text) => [text.startsWith(" ") ? text : ` ${text}`]);
  if (last.use_regex !== false) {
    const regex = toJavaScript(CONTRACTIONS_AND_RUNS)!;
    cuts.push((text) => isolate(text, regex));
  }
  return (text) =>
    cuts.reduce(
      (pieces, cut) => (pieces.length === 1 ? cut(pieces[0]!) : pieces.flatMap(cut)),
      text === "" ? [] : [text],
    );
}

/** Matches and the stretches between them, in order. */
function isolate(text: string, regex: RegExp): string[] {
  const pieces: string[] = [];
  let end = 0;
  for (const match of text.matchAll(regex)) {
    if (match.index > end) pieces.push(text.slice(end, match.index));
    if (match[0] !== "") pieces.push(match[0]);
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

/**
 * An Oniguruma pattern as a JavaScript one, or undefined when it uses anything beyond what the two share.
 * JavaScript's \s has U+FEFF and lacks U+0085; `(?i:…)` needs Node 23: both are rewritten.
 */
function toJavaScript(pattern: string): RegExp | undefined {
  const source = pattern
    .replace(
      /\(\?i:([^()[\]\\]*)\)/g,
      (_, body: string) => `(?:${body.replace(/[a-z]/g, (c) => `[${c}${c.toUpperCase()}]`)})`,
    )
    .replaceAll("\\s", "\\p{White_Space}")
    .replaceAll("\\S", "\\P{White_Space}");
  const known = /^(?:[^\\(]|\((?!\?)|\(\?[:!=]|\\[pP]\{\w+\}|\\[rnt])*$/;
  if (!known.test(source) || /(?:[*+?]|\{\d+(?:,\d*)?\})\+/.test(source)) return undefined;
  try {
    return new RegExp(source, "gu");
  } catch {
    return undefined;
  }
}
