// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNUSUAL_SPACE =
  / ?[\u0000-\u001f\u007f-\u00a0\u00ad\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff][\s\u00ad\u200b\u2060\u0000-\u001f\u007f-\u009f]*| {2,}/g;

/** Every run of white space (control characters, soft hyphens and zero-width spaces counted in) becomes one space, or nothing. */
export function collapseSpace(text: string): string {
  return text.replace(UNUSUAL_SPACE, (run) => (/^[\u00ad\u200b\u2060]+$/.test(run) ? "" : " "));
}
