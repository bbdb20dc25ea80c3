/** JSON Lines, plain or compressed: one value a line, each with its place, malformed lines reported and passed over. */
import { readDecompressed } from "./compression.ts";
import { DataError } from "./errors.ts";

export interface Line {
  text: string;
  /** 1-based. */
  number: number;
  /** Byte offset of the line start in the decompressed file. */
  offset: number;
}

/**
 * Lines of a text file (LF or CRLF), decompressed on the fly.
 * @param maxLineBytes - A longer line is refused rather than held in memory.
 * @param onBad - Called for a line whose bytes are no UTF-8, which is passed over; without it, the first one throws.
 */
export async function* readLines(
  path: string,
  maxLineBytes = 256 << 20,
  onBad?: (error: DataError, line: Line) => void | Promise<void>,
): AsyncGenerator<Line> {
  let bad: DataError | undefined;
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const pending: Buffer[] = [];
  let pendingBytes = 0;
  let number = 0;
  let offset = 0;
  const take = (last: Buffer): Line => {
    const bytes = pending.length === 0 ? last : Buffer.concat([...pending, last]);
    pending.length = 0;
    pendingBytes = 0;
    number++;
    const line: Line = { text: "", number, offset };
    offset += bytes.length + 1;
    const end = bytes.length > 0 && bytes[bytes.length - 1] === 13 ? bytes.length - 1 : bytes.length;
    try {
      line.text = decoder.decode(bytes.subarray(0, end));
    } catch (error) {
      bad = new DataError("IO_NOT_UTF8", {
        message: "bytes that are not UTF-8",
        where: `${path}:${number}`,
        remedy: "convert the file to UTF-8 (iconv) and run again",
        cause: error,
        fields: { offset: line.offset },
      });
      if (!onBad) throw bad;
    }
    return line;
  };
  const tellBad = async (line: Line) => {
    const error = bad!;
    bad = undefined;
    await onBad!(error, line);
  };
  for await (const chunk of readDecompressed(path)) {
    let start = 0;
    for (let end = chunk.indexOf(10, start); end !== -1; end = chunk.indexOf(10, start)) {
      const line = take(chunk.subarray(start, end));
      if (bad) await tellBad(line);
      else yield line;
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    pendingBytes += rest.length;
    if (pendingBytes > maxLineBytes)
      throw new DataError("IO_LINE_TOO_LONG", {
        message: `a line of more than ${maxLineBytes} bytes`,
        where: `${path}:${number + 1}`,
        remedy: "is this a JSON Lines file? One record a line is expected",
      });
    if (rest.length > 0) pending.push(Buffer.from(rest));
  }
  if (pendingBytes > 0) {
    const line = take(Buffer.alloc(0));
    if (bad) await tellBad(line);
    else yield line;
  }
}

/** Values of a JSON Lines file. @param onBad - Called for a line that is not JSON; without it, the first one throws. */
export async function* readJsonLines<T>(
  path: string,
  onBad?: (error: DataError, line: Line) => void | Promise<void>,
): AsyncGenerator<{ value: T; line: Line }> {
  for await (const line of readLines(path, undefined, onBad)) {
    if (line.text.trim() === "") continue;
    let value: T;
    try {
      value = JSON.parse(line.text) as T;
    } catch (cause) {
      const error = new DataError("IO_BAD_JSON_LINE", {
        message: `not valid JSON: ${(cause as Error).message}`,
        where: `${path}:${line.number}`,
        remedy: "repair or remove the line",
        cause,
        fields: { offset: line.offset },
      });
      if (!onBad) throw error;
      await onBad(error, line);
      continue;
    }
    yield { value, line };
  }
}
