/**
 * MathML and TeX of articles as one line of text: fractions as (a)/(b), scripts as a_i^2, roots as √(a), tables by rows.
 * Parentheses appear only where the line would be read wrongly without them.
 */
import { attribute, childrenNamed, textOf, type XmlElement } from "./xml.ts";

/** One line of text for a `math` element. */
export function mathText(element: XmlElement): string {
  return row(element).replace(/\s+/g, " ").trim();
}

const SPACED_OPERATORS = /^[=<>≤≥≠≈∼≃≡±×·÷+−∈∉⊂→←↔∝∧∨∪∩≪≫]$/;
/** Characters of MathML that are there for layout and speech only: function application, invisible times, separator, plus. */
const INVISIBLE = /[\u2061-\u2064\u200b]/g;
const ACCENTS: Record<string, string> = {
  "¯": "\u0304",
  "‾": "\u0304",
  ˉ: "\u0304",
  _: "\u0332",
  "^": "\u0302",
  ˆ: "\u0302",
  "~": "\u0303",
  "˜": "\u0303",
  "∼": "\u0303",
  "→": "\u20d7",
  "⃗": "\u20d7",
  "˙": "\u0307",
  ".": "\u0307",
  "¨": "\u0308",
};

function row(element: XmlElement): string {
  let text = "";
  for (const node of element.children) {
    if (typeof node === "string") {
      if (node.trim() !== "") text += node.trim();
    } else text += expression(node);
  }
  return text;
}

function expression(element: XmlElement): string {
  switch (element.name) {
    case "mi":
    case "mn":
    case "ms":
      return leaf(element);
    case "mtext":
      return textOf(element).replace(INVISIBLE, "").replace(/\s+/g, " ");
    case "mo": {
      const operator = leaf(element);
      return SPACED_OPERATORS.test(operator)
        ? ` ${operator} `
        : operator === "," || operator === ";"
          ? `${operator} `
          : operator;
    }
    case "mspace":
      return " ";
    case "mfrac":
      return `${grouped(part(element, 0))}/${grouped(part(element, 1))}`;
    case "msqrt":
      return `√(${row(element).trim()})`;
    case "mroot":
      return `root(${part(element, 0)}, ${part(element, 1)})`;
    case "msup":
      return scripts(element, [["^", 1]]);
    case "msub":
      return scripts(element, [["_", 1]]);
    case "msubsup":
    case "munderover":
      return scripts(element, [
        ["_", 1],
        ["^", 2],
      ]);
    case "munder":
      return accented(element, "_");
    case "mover":
      return accented(element, "^");
    case "mmultiscripts":
      return elements(element)
        .filter((node) => node.name !== "none" && node.name !== "mprescripts")
        .map((node, i) => (i === 0 ? expression(node) : `_${grouped(expression(node).trim())}`))
        .join("");
    case "mfenced": {
      const separators = (attribute(element, "separators") ?? ",").replace(/\s/g, "");
      const inner = elements(element).map((node) => expression(node).trim());
      const separator = separators === "" ? "" : `${separators[0]} `;
      return `${attribute(element, "open") ?? "("}${inner.join(separator)}${attribute(element, "close") ?? ")"}`;
    }
    case "mtable":
      return elements(element)
        .map((line) =>
          childrenNamed(line, "mtd")
            .map((cell) => row(cell).trim())
            .join(" "),
        )
        .join("; ");
    case "semantics": {
      const shown = elements(element)[0];
      return shown ? expression(shown) : row(element);
    }
    case "annotation":
    case "annotation-xml":
      return "";
    default:
      return row(element);
  }
}

const leaf = (element: XmlElement): string => textOf(element).replace(INVISIBLE, "").replace(/\s+/g, " ").trim();

const elements = (element: XmlElement): XmlElement[] =>
  element.children.filter((node): node is XmlElement => typeof node !== "string");

function part(element: XmlElement, index: number): string {
  const node = elements(element)[index];
  return node ? expression(node).trim() : "";
}

/** In parentheses unless it is one name, one number or already closed. */
function grouped(text: string): string {
  return /^[\p{L}\p{M}\p{N}.′'*]*$/u.test(text) || /^\([^()]*\)$/.test(text) ? text : `(${text})`;
}

function scripts(element: XmlElement, marks: readonly (readonly [string, number])[]): string {
  let text = part(element, 0);
  if (/\s/.test(text)) text = grouped(text);
  for (const [mark, index] of marks) {
    const script = part(element, index);
    // A prime or a degree sign is a script of its own already: x′, not x^′.
    if (script !== "") text += /^[′″'*°]+$/.test(script) && mark === "^" ? script : `${mark}${grouped(script)}`;
  }
  return text;
}

function accented(element: XmlElement, mark: string): string {
  const base = part(element, 0);
  const over = part(element, 1);
  const accent = ACCENTS[over];
  if (accent && [...base].length === 1) return base + accent;
  if (accent) return `${grouped(base)}${accent}`;
  return over === "" ? base : `${base}${mark}${grouped(over)}`;
}

/** The formula of a TeX document: `tex-math` often holds a whole one, preamble included. */
export function texFormula(source: string): string {
  const body = /\\begin\{document\}([\s\S]*?)(?:\\end\{document\}|$)/.exec(source)?.[1] ?? source;
  return body
    .trim()
    .replace(/^\$\$?([\s\S]*?)\$?\$$/, "$1")
    .replace(/^\\\[([\s\S]*?)\\\]$/, "$1")
    .replace(/\s+/g, " ")
    .trim();
}
