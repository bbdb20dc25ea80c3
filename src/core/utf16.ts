/** Texts as arrays of UTF-16 units: a look into an array costs a third of a look into a string. */

let scratch = new Uint16Array(1 << 14);
let bytes = Buffer.from(scratch.buffer);

/** The units of a text, at the start of an array that the next call overwrites. */
export function utf16(text: string): Uint16Array {
  if (scratch.length < text.length) {
    scratch = new Uint16Array(2 * text.length);
    bytes = Buffer.from(scratch.buffer);
  }
  bytes.write(text, 0, "utf16le");
  return scratch;
}
