/**
 * Titles and abstracts carry a little markup; flattened carelessly it changes numbers: 10<sup>-3</sup> must not become "10-3".
 */
import { collapseSpace } from "../formatting/space.ts";
import { mathText } from "./mathml.ts";
import type { XmlElement } from "./xml.ts";

const SUPERSCRIPTS: Record<string, string> = {
  "0": "⁰",
  "1": "¹",
  "2": "²",
  "3": "³",
  "4": "⁴",
  "5": "⁵",
  "6": "⁶",
  "7": "⁷",
  "8": "⁸",
  "9": "⁹",
  "+": "⁺",
  "-": "⁻",
  "−": "⁻",
  "–": "⁻",
  "‐": "⁻",
  "‑": "⁻",
};

const RAISED_LETTERS = "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖqʳˢᵗᵘᵛʷˣʸᶻ";

/**
 * A superscript in plain text: Unicode's raised characters where they say it all (m², Ca²⁺, 10⁻³, xⁿ, the marks of table notes),
 * `^` where digits would otherwise run into what stands before them (10^6.5), else the letters as they are (1st, ApcMin).
 */
export function superscript(text: string, before: string): string {
  const bare = text.trim();
  if (/^[0-9+\-−–‐‑]+$/.test(bare)) return text.replace(/[0-9+\-−–‐‑]/g, (sign) => SUPERSCRIPTS[sign] ?? sign);
  if (/^[a-z](,\s?[a-z])*$/.test(bare))
    return text.replace(/[a-z]/g, (letter) => RAISED_LETTERS[letter.charCodeAt(0) - 97]!);
  return /^[0-9+\-−–.]/.test(bare) && /[\p{L}\p{N})\]]$/u.test(before) ? `^${bare}` : text;
}

/** A subscript in plain text: H2O, log10, but 5_2 where two numbers would become one. */
export function subscript(text: string, before: string): string {
  return /^[0-9]/.test(text) && /[0-9]$/.test(before) ? `_${text}` : text;
}

/** Text of an element with inline markup (i, b, u, sup, sub, MathML, line breaks), white space collapsed. */
export function markupText(element: XmlElement | undefined): string {
  if (element === undefined) return "";
  const { children } = element;
  const text = children.length === 1 && typeof children[0] === "string" ? children[0] : flatten(element, "");
  return collapseSpace(text).trim();
}

function flatten(element: XmlElement, start: string): string {
  let text = start;
  for (const node of element.children) {
    if (typeof node === "string") text += node;
    else
      switch (node.name) {
        case "sup":
          text += superscript(flatten(node, ""), text.slice(-1));
          break;
        case "sub":
          text += subscript(flatten(node, ""), text.slice(-1));
          break;
        case "math":
          text += mathText(node);
          break;
        case "break":
          text += " ";
          break;
        case "xref":
        case "fn":
          // Marks that tie a title to its notes.
          break;
        default:
          text = flatten(node, text);
      }
  }
  return text;
}
