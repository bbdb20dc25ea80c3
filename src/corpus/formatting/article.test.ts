import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Article, type Block, formatArticle, headingCase, type Inline } from "./article.ts";
import { countCharacters, Ledger } from "./ledger.ts";
import { captionSummary, floatName, shorten } from "./references.ts";
import { collapseSpace, isLayout } from "./space.ts";

describe("names and beginnings", () => {
  test.each([
    ["MATERIALS AND METHODS", "Materials and methods"],
    ["DNA", "DNA"],
    ["Role of mTOR in COPD", "Role of mTOR in COPD"],
    ["PATIENTS WITH COPD", "Patients with COPD"],
    ["Résumé", "Résumé"],
  ])("heading %s", (heading, written) => expect(headingCase(heading)).toBe(written));

  test.each([
    ["figure", "Fig. 3.", "Figure 3"],
    ["figure", "FIGURE 1:", "Figure 1"],
    ["figure", "S2", "Figure S2"],
    ["figure", "", "Figure"],
    ["figure", "Scheme 1", "Scheme 1"],
    ["table", "Tab. 2", "Table 2"],
    ["table", "IV", "IV"],
    ["table", "4", "Table 4"],
  ] as const)("%s %s", (kind, label, name) => expect(floatName({ kind, label })).toBe(name));

  test("a caption is mentioned up to its first stop, a title up to twelve words", () => {
    expect(captionSummary(["Short. Caption"])).toBe("Short. Caption");
    expect(captionSummary(["Mean dose was 0.5 mg in all groups. Bars show errors."])).toBe(
      "Mean dose was 0.5 mg in all groups",
    );
    expect(captionSummary(["(A) Survival of patients (n = 12) by group"])).toBe("Survival of patients");
    expect(shorten("1 2 3 4 5 6 7 8 9 10 11 12")).toBe("1 2 3 4 5 6 7 8 9 10 11 12");
    expect(shorten("1 2 3 4 5 6 7 8 9 10 11 12 13")).toBe("1 2 3 4 5 6 7 8 9 10 11 12...");
  });

  test("white space of any kind", () => {
    expect(collapseSpace("a \n\t b\u00a0c\u2009\u2009d so\u00adft\u200b e\u0000f")).toBe("a b c d soft e f");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const once = collapseSpace(text);
        expect(collapseSpace(once)).toBe(once);
        expect(countCharacters(once)).toBe(countCharacters(text));
        expect([...once].every((sign) => sign === " " || !isLayout(sign.codePointAt(0)!))).toBe(true);
      }),
    );
  });
});

// ── whatever the tree, nothing goes missing ──────────────────────────────────────────────────────────────────────────

const words = fc.stringMatching(/^[ a-zA-Z0-9.,;:()[\]–\n-]{0,30}$/).map(collapseSpace);
const inline: fc.Arbitrary<Inline[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: words as fc.Arbitrary<Inline> },
    fc.record({
      type: fc.constant("citation" as const),
      targets: fc.subarray(["r1", "r2", "r3", "none"]),
      text: fc.constantFrom("1", "2-3", "Roe 2001", ""),
    }),
    fc.record({
      type: fc.constant("float-reference" as const),
      target: fc.constantFrom("f1", "t1", "none"),
      text: fc.constantFrom("1", "Fig. 1A", "Table 1", ""),
    }),
    fc.record({ type: fc.constant("formula" as const), text: words }),
  ),
  { maxLength: 8 },
);
const { block } = fc.letrec<{ block: Block }>((tie) => ({
  block: fc.oneof(
    { maxDepth: 3 },
    fc.record({ type: fc.constant("paragraph" as const), content: inline }),
    fc.record({ type: fc.constant("formula" as const), text: words }),
    fc.record({
      type: fc.constant("section" as const),
      heading: inline,
      blocks: fc.array(tie("block"), { maxLength: 3 }),
    }),
    fc.record({
      type: fc.constant("list" as const),
      items: fc.array(
        fc.record({ label: fc.constantFrom("-", "1."), blocks: fc.array(tie("block"), { maxLength: 2 }) }),
        { maxLength: 3 },
      ),
    }),
  ) as fc.Arbitrary<Block>,
}));
const article: fc.Arbitrary<Article> = fc.record({
  title: inline,
  references: fc.constant(
    new Map([
      ["r1", { title: "One", author: "Roe", label: "1" }],
      ["r2", { title: "Two", author: "Doe", label: "2" }],
      ["r3", { title: "", author: "", label: "3" }],
    ]),
  ),
  parts: fc.array(
    fc.record({
      blocks: fc.array(block, { maxLength: 4 }),
      floats: fc.tuple(
        fc.record({
          id: fc.constant("f1"),
          kind: fc.constant("figure" as const),
          label: fc.constantFrom("Fig. 1", ""),
          caption: inline,
          rows: fc.constant([]),
          notes: fc.array(inline, { maxLength: 2 }),
        }),
        fc.record({
          id: fc.constant("t1"),
          kind: fc.constant("table" as const),
          label: fc.constant("Table 1"),
          caption: inline,
          rows: fc.array(fc.array(inline, { maxLength: 3 }), { maxLength: 3 }),
          notes: fc.constant([]),
        }),
      ),
    }),
    { minLength: 1, maxLength: 2 },
  ),
});

function charactersOf(value: unknown): number {
  if (typeof value === "string") return countCharacters(value);
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + charactersOf(item), 0);
  if (typeof value !== "object" || value === null || value instanceof Map) return 0;
  const hidden = ["type", "kind", "id", "target", "targets"];
  return Object.entries(value).reduce((sum, [key, item]) => (hidden.includes(key) ? sum : sum + charactersOf(item)), 0);
}

test("characters of the tree = characters of the text - inserted + dropped", () => {
  fc.assert(
    fc.property(article, fc.constantFrom("full" as const, "caption" as const), (tree, tables) => {
      const ledger = new Ledger();
      const text = formatArticle(tree, { tables }, ledger);
      const dropped = Object.values(ledger.dropped).reduce((sum, count) => sum + count, 0);
      expect(countCharacters(text) - ledger.inserted + dropped).toBe(charactersOf(tree));
      for (const token of ["bib_ref", "fig_ref", "fig", "table", "formula"])
        expect(text.split(`[${token}]`).length).toBe(text.split(`[/${token}]`).length);
    }),
    { numRuns: 500, seed: 4 },
  );
});
