/** White space of running text. Control characters, soft hyphens and zero-width spaces are layout as well, and go with it. */

/** Every run of white space becomes one space; soft hyphens and zero-width spaces alone become nothing. */
export function collapseSpace(text: string): string {
  let out = "";
  let copied = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isLayout(code)) continue;
    const start = i;
    let visible = !isZeroWidth(code);
    for (; i + 1 < text.length; i++) {
      const next = text.charCodeAt(i + 1);
      if (!isLayout(next)) break;
      visible ||= !isZeroWidth(next);
    }
    if (i === start && code === 32) continue;
    out += text.slice(copied, start) + (visible ? " " : "");
    copied = i + 1;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** Single spaces again, where clean strings have been joined. */
export function squeezeSpaces(text: string): string {
  return text.includes("  ") ? text.replace(/ {2,}/g, " ") : text;
}

/** White space, control characters and what has no width. */
export function isLayout(code: number): boolean {
  if (code <= 32) return true;
  if (code < 0x7f) return false;
  if (code <= 0xa0 || code === 0xad) return true;
  if (code < 0x1680) return false;
  return (
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200b) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x2060 ||
    code === 0x3000 ||
    code === 0xfeff
  );
}

export const isZeroWidth = (code: number): boolean => code === 0xad || code === 0x200b || code === 0x2060;
