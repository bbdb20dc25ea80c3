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
  const escaped = (text: string, asEntities: boolean) =>
    text.replace(/[\s\S]/gu, (sign) =>
      sign === "<" || sign === "&" || sign === ">" || (asEntities && sign > "~") ? `&#${sign.codePointAt(0)};` : sign,
    );
  // Surrogates alone are not text, U+0000 to U+001F cannot be written as entities.
  const text = fc
    .array(
      fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("  ", "\n\t", "\u00a0", "\u00ad", "\u200b ", "0.5")),
    )
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, fc.boolean(), (content, asEntities) => {
      const element = parseXml(`<p>${escaped(content, asEntities)}</p>`, { count: true });
      expect(textOf(element)).toBe(collapseSpace(content));
      expect(element.characters).toBe(countCharacters(content));
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

test("errors name the byte, not the character", () => {
  expect(failure("<a>µµ<b></a>")).toEqual({ message: "</a> where </b> is due", at: 10 });
  expect(failure("<a>µ</a><a/>", { whole: true })).toEqual({ message: "something stands behind <a>", at: 9 });
  expect(failure("<a>µ<b")).toEqual({ message: "a start tag that does not end", at: 5 });
  expect(failure("<a><µµ></a></µµ>").message).toBe("</a> where </µµ> is due");
});
