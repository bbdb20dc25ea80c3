/** Files of a tar archive in memory, plain or gzipped, with a bound on what it may unpack to. */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { DataError } from "../../../core/errors.ts";

const MAX_BYTES = 4 * 2 ** 30;

export async function* tarEntries(archive: Buffer, where = "archive"): AsyncGenerator<{ name: string; body: Buffer }> {
  const source = Readable.from([archive]);
  const unpacked = archive[0] === 0x1f && archive[1] === 0x8b ? source.pipe(createGunzip()) : source;
  const entries = extract();
  unpacked.on("error", (error) => entries.destroy(error)).pipe(entries);
  let bytes = 0;
  try {
    for await (const entry of entries) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) {
        bytes += (chunk as Buffer).length;
        if (bytes > MAX_BYTES) throw new Error("it unpacks to more than 4 GiB");
        chunks.push(chunk as Buffer);
      }
      if (entry.header.type === "file") yield { name: entry.header.name, body: Buffer.concat(chunks) };
    }
  } catch (cause) {
    throw new DataError("CORPUS_BAD_ARCHIVE", {
      message: `the archive cannot be read: ${(cause as Error).message}`,
      where,
      remedy: "fetch it again",
      cause,
    });
  }
}
