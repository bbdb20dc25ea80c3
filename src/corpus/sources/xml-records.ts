/**
 * Records of large XML files as byte ranges: a file of 30,000 citations is walked without building it.
 *
 * A record is what stands between `<Tag` and `</Tag>`. Finding it is a byte search, so one damaged record costs one record: the
 * walk goes on at the next start tag. Everything else in the file must be the wrapper around the records; bytes that are neither
 * are reported, for they were a record once. Memory is bounded by the largest record, whatever the file inflates to.
 */
import { isUtf8 } from "node:buffer";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { readDecompressed } from "../../core/compression.ts";
import { DataError, fromSystemError } from "../../core/errors.ts";

export interface XmlRecord {
  tag: string;
  /** UTF-8, checked. */
  bytes: Buffer;
  /** Byte offset of the record in the decompressed file. */
  offset: number;
}

export interface XmlProblem {
  /** Rule of the drop: "read.malformed", "read.cut-short", "read.not-utf8" ... */
  rule: string;
  reason: string;
  offset: number;
  value?: number;
  threshold?: number;
}

/** What stands before the first record: XML declaration, DOCTYPE, opening wrapper. */
export interface XmlRecordItem {
  record?: XmlRecord;
  problem?: XmlProblem;
  prolog: string;
}

export interface XmlRecordOptions {
  tags: readonly string[];
  /** What a file of this kind is called in messages: "PubMed". */
  format: string;
  /** Tags that may stand around the records; text or other tags there are reported. */
  wrapper: RegExp;
  maxRecordBytes?: number;
}

const SMALL_FILE_BYTES = 4 << 20;
const BLOCK_BYTES = 1 << 20;
const MAX_RECORD_BYTES = 64 << 20;
const GAP_CHARACTERS = 1 << 16;
/** gzip cannot exceed 1:1032 and PubMed reaches 1:12; beyond this, a file was made to fill a disk, not to be read. */
const BOMB_RATIO = 250;
const BOMB_BYTES = 256 << 20;

/** Records of a file, decompressed by its magic bytes. */
export async function* readXmlRecords(path: string, options: XmlRecordOptions): AsyncGenerator<XmlRecordItem> {
  const { size, bytes } = readSmallFile(path);
  yield* xmlRecords(bytes ? [bytes] : readDecompressed(path), size, options);
}

/**
 * The record of a small file that seems to hold one and nothing else, from the first start tag to the last end tag. Whether it is one
 * shows when it is parsed as a whole; where it is not, or nothing is returned, `readXmlRecords` says what the file holds. Most articles
 * come one a file, and looking for records in them takes as long as half their parsing.
 */
export function readSoleXmlRecord(path: string, options: XmlRecordOptions): XmlRecordItem | undefined {
  const { bytes } = readSmallFile(path);
  const tag = options.tags[0]!;
  if (bytes === undefined || encodingOf(bytes) !== "utf-8" || !isUtf8(bytes)) return undefined;
  const offset = findStart(bytes, Buffer.from(`<${tag}`), 0);
  const endTag = `</${tag}>`;
  const end = bytes.lastIndexOf(endTag) + endTag.length;
  if (offset === -1 || end <= offset) return undefined;
  const prolog = bytes.toString("latin1", 0, offset);
  const rest = bytes.toString("latin1", end);
  if (withoutWrapper(prolog, options.wrapper) !== "" || withoutWrapper(rest, options.wrapper) !== "") return undefined;
  return { record: { tag, bytes: bytes.subarray(offset, end), offset }, prolog };
}

/** The bytes of a small plain file, read at once: what a stream needs before its first byte costs more than the reading. */
function readSmallFile(path: string): { size: number; bytes?: Buffer } {
  try {
    const descriptor = openSync(path, "r");
    try {
      const { size } = fstatSync(descriptor);
      if (size > SMALL_FILE_BYTES) return { size };
      let bytes = Buffer.allocUnsafe(size);
      let read = 0;
      for (let count = -1; read < size && count !== 0; read += count)
        count = readSync(descriptor, bytes, read, size - read, null);
      bytes = bytes.subarray(0, read);
      return isCompressed(bytes) ? { size } : { size, bytes };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw fromSystemError(error, path, "reading a source");
  }
}

const isCompressed = (bytes: Buffer): boolean =>
  (bytes[0] === 0x1f && bytes[1] === 0x8b) || (bytes.length >= 4 && bytes.readUInt32LE(0) === 0xfd2fb528);

/**
 * Records of a stream of bytes.
 * @param packedBytes - Size of what the bytes were inflated from, which bounds what is believed of them.
 */
export async function* xmlRecords(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  packedBytes: number,
  options: XmlRecordOptions,
): AsyncGenerator<XmlRecordItem> {
  const maxRecordBytes = options.maxRecordBytes ?? MAX_RECORD_BYTES;
  const starts = options.tags.map((tag) => Buffer.from(`<${tag}`));
  const ends = options.tags.map((tag) => Buffer.from(`</${tag}>`));
  const overlap = Math.max(...ends.map((tag) => tag.length));
  let prolog = "";
  let seen = 0;
  let window: Buffer = Buffer.alloc(0);
  let base = 0; // offset of the window in the file
  let gap = "";
  let gapOffset = 0;
  let abandoned = false; // inside a record too large to hold, whose end does not matter any more
  let failure: XmlProblem | undefined;

  const item = (content: { record: XmlRecord } | { problem: XmlProblem }): XmlRecordItem => ({ ...content, prolog });
  const addGap = (from: number, to: number) => {
    if (abandoned || from >= to) return;
    if (gap === "") gapOffset = base + from;
    if (gap.length < GAP_CHARACTERS) gap += window.toString("latin1", from, Math.min(to, from + GAP_CHARACTERS));
  };
  const closeGap = (): XmlProblem | undefined => {
    const text = gap;
    gap = "";
    if (seen === 0 && prolog === "") prolog = text;
    if (text === "") return undefined;
    const rest = withoutWrapper(text, options.wrapper);
    if (rest === "") return undefined;
    return {
      rule: "read.malformed",
      reason: `${text.length} bytes outside of the records (${JSON.stringify(rest.slice(0, 40))}): a damaged one`,
      offset: gapOffset,
    };
  };

  const blocks = readBlocks(chunks, packedBytes, (problem) => {
    failure = problem;
  });
  for (let done = false; !done; ) {
    const next = await blocks.next();
    done = next.done === true;
    if (!next.done) window = window.length === 0 ? next.value : Buffer.concat([window, next.value]);
    const nextOf = starts.map(() => -2); // -2: not searched yet in this window
    const startOf = (tag: number, position: number): number => {
      let found = nextOf[tag]!;
      if (found !== -1 && found < position) nextOf[tag] = found = findStart(window, starts[tag]!, position);
      return found;
    };
    const startFrom = (position: number): { at: number; tag: number } => {
      // Mostly the next record stands right there, and no tag needs to be looked for.
      let next = position;
      while (window[next]! <= 32 && next < position + 16) next++;
      for (let i = 0; i < starts.length; i++) if (isStart(window, starts[i]!, next)) return { at: next, tag: i };
      let at = -1;
      let tag = -1;
      for (let i = 0; i < starts.length; i++) {
        const found = startOf(i, position);
        if (found !== -1 && (at === -1 || found < at)) {
          at = found;
          tag = i;
        }
      }
      return { at, tag };
    };
    let position = 0;
    for (;;) {
      const start = startFrom(position);
      if (start.at === -1) {
        const keep = done ? window.length : Math.max(position, window.length - overlap);
        addGap(position, keep);
        position = keep;
        break;
      }
      addGap(position, start.at);
      abandoned = false;
      const between = closeGap();
      if (between) yield item({ problem: between });
      seen++;
      const endTag = ends[start.tag]!;
      const end = window.indexOf(endTag, start.at);
      const another = startOf(start.tag, start.at + 1);
      if (end === -1 || (another !== -1 && another < end)) {
        const following = startFrom(start.at + 1).at;
        if (following !== -1) {
          const reason = `<${options.tags[start.tag]}> has no end tag before the next record starts`;
          yield item({ problem: { rule: "read.malformed", reason, offset: base + start.at } });
          position = following;
          nextOf[start.tag] = -2;
          continue;
        }
      }
      if (end === -1) {
        position = start.at;
        const size = window.length - start.at;
        if (size > maxRecordBytes) {
          const reason = `a record of more than ${maxRecordBytes} bytes`;
          yield item({
            problem: {
              rule: "read.too-large",
              reason,
              offset: base + start.at,
              value: size,
              threshold: maxRecordBytes,
            },
          });
          abandoned = true;
          position = done ? window.length : window.length - overlap;
        } else if (done && !failure) {
          const reason = `the file ends inside a <${options.tags[start.tag]}>`;
          yield item({ problem: { rule: "read.cut-short", reason, offset: base + start.at } });
          position = window.length;
        } else if (done) position = window.length;
        else seen--; // the same record is met again when more has been read
        break;
      }
      const stop = end + endTag.length;
      const bytes = window.subarray(start.at, stop);
      const offset = base + start.at;
      if (isUtf8(bytes)) yield item({ record: { tag: options.tags[start.tag]!, bytes, offset } });
      else {
        const reason = "bytes that are not UTF-8";
        yield item({ problem: { rule: "read.not-utf8", reason, offset: offset + firstBadByte(bytes) } });
      }
      position = stop;
    }
    base += position;
    window = window.subarray(position);
  }
  if (failure) yield item({ problem: failure });
  else if (seen > 0) {
    const rest = closeGap();
    if (rest) yield item({ problem: rest });
  } else {
    const text = gap.trim();
    const what =
      text === ""
        ? "the file is empty"
        : /<html|<!doctype html/i.test(text)
          ? "an HTML page"
          : `no <${options.tags[0]}> in the file`;
    yield item({
      problem: { rule: "read.no-records", reason: `${what}: nothing of ${options.format} to read`, offset: 0 },
    });
  }
}

/** The file in UTF-8, in pieces of about a megabyte; how it ended early is told through `fail`. */
async function* readBlocks(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  packedBytes: number,
  fail: (problem: XmlProblem) => void,
): AsyncGenerator<Buffer, undefined> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let first = true;
  let total = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const take = (): Buffer => {
    let block = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
    pending = [];
    pendingBytes = 0;
    if (first) {
      first = false;
      const encoding = encodingOf(block);
      if (encoding !== "utf-8") decoder = new TextDecoder(encoding);
    }
    if (decoder) block = Buffer.from(decoder.decode(block, { stream: true }), "utf8");
    return block;
  };
  try {
    for await (const chunk of chunks) {
      total += chunk.length;
      pending.push(chunk);
      pendingBytes += chunk.length;
      if (pendingBytes >= BLOCK_BYTES) yield take();
      if (total > BOMB_BYTES && total > packedBytes * BOMB_RATIO) {
        const reason = `inflates to more than ${BOMB_RATIO} times its size (a zip bomb); reading stopped`;
        fail({ rule: "read.zip-bomb", reason, offset: total, value: total / packedBytes, threshold: BOMB_RATIO });
        return;
      }
    }
  } catch (error) {
    if (error instanceof RangeError) {
      fail({ rule: "read.encoding", reason: "the file declares an encoding that does not exist", offset: 0 });
      return;
    }
    if (!(error instanceof DataError)) throw error;
    const rule = error.code === "IO_CUT_SHORT" ? "read.cut-short" : "read.damaged";
    fail({ rule, reason: error.message, offset: Number(error.fields.offset ?? total) });
  }
  if (pendingBytes > 0) yield take();
}

/** From the byte-order mark or the XML declaration. @throws {RangeError} from TextDecoder, for a name it does not know. */
function encodingOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  const declared = /^\s*<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']/.exec(bytes.toString("latin1", 0, 200))?.[1];
  if (declared === undefined || /^(utf-?8|us-ascii|ascii|utf-?16.*)$/i.test(declared)) return "utf-8";
  return new TextDecoder(declared).encoding;
}

function findStart(window: Buffer, tag: Buffer, from: number): number {
  for (let at = window.indexOf(tag, from); at !== -1; at = window.indexOf(tag, at + 1)) {
    // The byte behind the name is not here yet: the tag is found when it is.
    if (at + tag.length === window.length) return -1;
    if (isStart(window, tag, at)) return at;
  }
  return -1;
}

/** A start tag stands here: `<name` and what may stand behind a name. */
function isStart(window: Buffer, tag: Buffer, at: number): boolean {
  const next = window[at + tag.length];
  if (next === undefined || (next !== 62 && next > 32 && next !== 47)) return false;
  for (let i = 0; i < tag.length; i++) if (window[at + i] !== tag[i]) return false;
  return true;
}

function withoutWrapper(text: string, wrapper: RegExp): string {
  return text
    .replace(/^\u00ef\u00bb\u00bf/, "") // a byte-order mark, read as Latin-1
    .replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!DOCTYPE[^>[]*(\[(?:"[^"]*"|'[^']*'|[^\]"'])*\])?\s*>/g, "")
    .replace(wrapper, "")
    .trim();
}

function firstBadByte(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    // A prefix may end inside a character: up to three bytes of one do not make it bad.
    const whole = [0, 1, 2, 3].some((cut) => isUtf8(bytes.subarray(0, Math.max(0, middle - cut))));
    if (whole) good = middle;
    else bad = middle;
  }
  return Math.max(0, good - 3);
}
