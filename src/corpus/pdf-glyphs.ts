/** Glyphs of a PDF page as fragments of lines: what stands on one baseline without a wide gap, with its font. */
import type { PDFiumPage } from "@hyzyla/pdfium";

/** Coordinates in points from the lower left corner of the page. */
export interface Fragment {
  text: string;
  left: number;
  right: number;
  bottom: number;
  top: number;
  baseline: number;
  /** Font size in points, of most of its glyphs. */
  size: number;
  bold: boolean;
}

export interface PdfPage {
  width: number;
  height: number;
  fragments: Fragment[];
}

/** The functions of PDFium's C API that we use; the package types them, but keeps them to itself. */
interface TextApi {
  _FPDFText_LoadPage(page: number): number;
  _FPDFText_ClosePage(textPage: number): void;
  _FPDFText_CountChars(textPage: number): number;
  _FPDFText_GetUnicode(textPage: number, index: number): number;
  _FPDFText_GetFontSize(textPage: number, index: number): number;
  _FPDFText_GetFontWeight(textPage: number, index: number): number;
  _FPDFText_GetCharBox(
    textPage: number,
    index: number,
    left: number,
    right: number,
    bottom: number,
    top: number,
  ): number;
  /** The advance box: where the font says the glyph begins and ends, ink or not. Four floats: left, top, right, bottom. */
  _FPDFText_GetLooseCharBox(textPage: number, index: number, rectangle: number): number;
  _FPDFText_GetCharOrigin(textPage: number, index: number, x: number, y: number): number;
  _FPDFText_GetCharAngle(textPage: number, index: number): number;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  HEAPU8: Uint8Array;
}

const BOLD_WEIGHT = 600;
/** A gap of this many font sizes ends a fragment: a column gutter or the next cell of a table. */
const GAP = 1.2;
/** Blanks narrower than this share of the font size are kerning. */
const WORD_GAP = 0.15;
/** Text turned by more than this (radians) is a watermark or the margin of an arXiv page. */
const MAX_ANGLE = 0.2;

export function pageFragments(page: PDFiumPage): PdfPage {
  const { module: api, pageIdx } = page as unknown as { module: TextApi; pageIdx: number };
  const { originalWidth: width, originalHeight: height } = page.getOriginalSize();
  const textPage = api._FPDFText_LoadPage(pageIdx);
  const memory = api._malloc(48);
  const float = (index: number) => new DataView(api.HEAPU8.buffer, memory + 4 * index, 4).getFloat32(0, true);
  const double = (index: number) => new DataView(api.HEAPU8.buffer, memory + 8 * index, 8).getFloat64(0, true);
  const fragments: Fragment[] = [];
  let open: (Fragment & { glyphs: number; boldGlyphs: number; sizes: Map<number, number> }) | undefined;
  const close = () => {
    if (open && open.text.trim() !== "") {
      const { glyphs, boldGlyphs, sizes, ...fragment } = open;
      fragment.text = fragment.text.trim();
      fragment.size = [...sizes].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
      fragment.bold = boldGlyphs >= 0.95 * glyphs;
      fragments.push(fragment);
    }
    open = undefined;
  };
  try {
    const count = api._FPDFText_CountChars(textPage);
    let space = false;
    for (let i = 0; i < count; i++) {
      const code = api._FPDFText_GetUnicode(textPage, i);
      if (code === 10 || code === 13) {
        space = true;
        continue;
      }
      if (code === 32 || code === 160 || code === 9) {
        space = true;
        continue;
      }
      const angle = api._FPDFText_GetCharAngle(textPage, i);
      if (Math.min(Math.abs(angle), Math.abs(angle - 2 * Math.PI)) > MAX_ANGLE) continue;
      if (!api._FPDFText_GetCharBox(textPage, i, memory, memory + 8, memory + 16, memory + 24)) continue;
      const [bottom, top] = [double(2), double(3)];
      // Gaps are measured between advances: by ink, a "1" is followed by a blank, and "10 mg" would become "1 0 mg".
      if (!api._FPDFText_GetLooseCharBox(textPage, i, memory)) continue;
      const [left, right] = [float(0), float(2)];
      api._FPDFText_GetCharOrigin(textPage, i, memory + 32, memory + 40);
      const baseline = double(5);
      const size = Math.round(2 * Math.max(api._FPDFText_GetFontSize(textPage, i), 1)) / 2;
      const bold = api._FPDFText_GetFontWeight(textPage, i) >= BOLD_WEIGHT;
      // 2 is PDFium's mark for a hyphen at the end of a line.
      const character = code === 2 ? "-" : expandLigature(code);
      const drawn = Math.max(size, top - bottom);
      const sameLine =
        open !== undefined &&
        Math.abs(baseline - open.baseline) < 0.5 * Math.max(open.size, drawn) &&
        left > open.right - 1.1 * drawn &&
        left - open.right < GAP * drawn;
      if (!sameLine) close();
      if (!open)
        open = {
          text: "",
          left,
          right,
          bottom,
          top,
          baseline,
          size: drawn,
          bold,
          glyphs: 0,
          boldGlyphs: 0,
          sizes: new Map(),
        };
      else if (open.text !== "" && (space || left - open.right > WORD_GAP * drawn) && left - open.right > 0.05 * drawn)
        open.text += " ";
      const shifted = Math.abs(baseline - open.baseline) > 0.15 * drawn && size < open.size;
      if (shifted && /^[\d−+-]$/.test(character) && /\d$/.test(open.text) && baseline > open.baseline) open.text += "^";
      space = false;
      open.text += character;
      open.right = Math.max(open.right, right);
      open.bottom = Math.min(open.bottom, bottom);
      open.top = Math.max(open.top, top);
      open.glyphs++;
      if (bold) open.boldGlyphs++;
      open.sizes.set(size, (open.sizes.get(size) ?? 0) + 1);
      open.size = Math.max(size, open.sizes.size === 1 ? size : open.size);
    }
    close();
  } finally {
    api._free(memory);
    api._FPDFText_ClosePage(textPage);
  }
  return { width, height, fragments };
}

const LIGATURES = ["ff", "fi", "fl", "ffi", "ffl", "st", "st"];

function expandLigature(code: number): string {
  if (code >= 0xfb00 && code <= 0xfb06) return LIGATURES[code - 0xfb00]!;
  return code > 0x10ffff || code === 0 || (code >= 0xd800 && code <= 0xdfff) ? "" : String.fromCodePoint(code);
}
