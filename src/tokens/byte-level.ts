/** GPT-2's reversible map of bytes to printable characters: a byte-level vocabulary is written in these. */

/** Character of each byte. Printable Latin-1 stands for itself; the other 68 bytes take U+0100 onwards in byte order. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

/** "é " → "Ã©Ġ". */
export function toByteCharacters(text: string): string {
  let mapped = "";
  for (const byte of Buffer.from(text, "utf8")) mapped += BYTE_CHARACTERS[byte];
  return mapped;
}
