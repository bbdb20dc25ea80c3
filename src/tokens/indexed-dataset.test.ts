import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exists } from "../core/index.ts";
import { IndexedDataset, IndexedDatasetWriter } from "./indexed-dataset.ts";

let directory: string;
let prefix: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "indexed-"));
  prefix = join(directory, "set");
});
afterEach(() => rm(directory, { recursive: true }));

async function write(documents: number[][], vocabSize = 1000) {
  const writer = await IndexedDatasetWriter.create(prefix, vocabSize);
  for (const document of documents) await writer.add(document);
  return writer.commit();
}

describe("bytes", () => {
  it("of a small set, by hand", async () => {
    await write([[1, 2, 3], [], [515]]);
    expect((await readFile(`${prefix}.bin`)).toString("hex")).toBe("0100020003000302");
    const u64 = (n: number) => n.toString(16).padStart(2, "0").padEnd(16, "0");
    const i32 = (n: number) => n.toString(16).padStart(2, "0").padEnd(8, "0");
    expect((await readFile(`${prefix}.idx`)).toString("hex")).toBe(
      Buffer.from("MMIDIDX\0\0").toString("hex") +
        u64(1) + // version
        "08" + // u16
        u64(3) + // sequences
        u64(4) + // documents + 1
        [3, 0, 1].map(i32).join("") +
        [0, 6, 6].map(u64).join("") +
        [0, 1, 2, 3].map(u64).join(""),
    );
  });

  it("go to four a token from a vocabulary of 65,500", async () => {
    for (const [vocabSize, bytes] of [
      [65_499, 2],
      [65_500, 4],
    ] as const) {
      const written = await write([[65_498, 0, 7]], vocabSize);
      expect(written.bin.bytes).toBe(3 * bytes);
      const set = await IndexedDataset.open(prefix);
      expect([...set.sequence(0)]).toEqual([65_498, 0, 7]);
      set.close();
    }
  });

  it("round trip for any documents", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.nat(999), { maxLength: 30 }), { maxLength: 30 }), async (documents) => {
        const written = await write(documents);
        const set = await IndexedDataset.open(prefix);
        expect(Array.from({ length: set.sequences }, (_, i) => [...set.sequence(i)])).toEqual(documents);
        expect(set.tokens).toBe(written.tokens);
        set.close();
      }),
      { numRuns: 8 },
    );
  });

  it("beyond the write buffer", async () => {
    const documents = Array.from({ length: 7 }, (_, d) => Array.from({ length: 500_000 }, (_, i) => (i * 7 + d) % 999));
    await write(documents);
    const set = await IndexedDataset.open(prefix);
    for (const [i, document] of documents.entries())
      expect(Buffer.compare(Buffer.from(set.sequence(i).buffer), Buffer.from(Int32Array.from(document).buffer))).toBe(
        0,
      );
    set.close();
  });
});

describe("bad files", () => {
  it("an index that disagrees with its data names the numbers", async () => {
    await write([[1, 2, 3], [4]]);
    await appendFile(`${prefix}.bin`, Buffer.alloc(2));
    await expect(IndexedDataset.open(prefix)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DataError: the index counts 4 tokens (8 bytes), but the data file has 10 bytes]`,
    );
    await truncate(`${prefix}.bin`, 5);
    await expect(IndexedDataset.open(prefix)).rejects.toMatchObject({
      code: "TOKENS_DISAGREE",
      fields: { indexBytes: 8, fileBytes: 5 },
    });
  });

  const at = (offset: number, bytes: number[]) => (idx: Buffer) => {
    Buffer.from(bytes).copy(idx, offset);
    return idx;
  };
  // Two sequences: lengths at 34, pointers at 42, documents at 58.
  it.each([
    ["cut short", (idx: Buffer) => idx.subarray(0, idx.length - 1), /81 bytes, but 2 sequences and 3 .* take 82/],
    ["empty", () => Buffer.alloc(0), /not a Megatron index/],
    ["of the old format", at(0, [...Buffer.from("TNTIDX\0\0")]), /TNTIDX/],
    ["of another version", at(9, [2]), /version 2/],
    ["of floats", at(17, [7]), /type code 7/],
    ["with a negative length", at(34, [0xff, 0xff, 0xff, 0xff]), /sequence 0 has -1 tokens/],
    ["with a pointer too far", at(50, [8]), /sequence 1 starts at byte 8, .* end at byte 6/],
    ["with documents that start late", at(58, [1]), /document boundary 0 is 1/],
    ["with documents that go back", at(66, [9]), /document boundary 2 is 2, after 9/],
    ["with documents that end early", at(74, [1]), /end at 1, expected 2/],
  ])("an index %s", async (_name, damage, message) => {
    await write([[1, 2, 3], [4]]);
    await writeFile(`${prefix}.idx`, damage(await readFile(`${prefix}.idx`)));
    await expect(IndexedDataset.open(prefix)).rejects.toThrow(message);
    await expect(IndexedDataset.open(prefix)).rejects.toMatchObject({ code: "TOKENS_BAD_INDEX" });
  });

  it("missing files, ids out of range, reads out of range", async () => {
    await expect(IndexedDataset.open(prefix)).rejects.toMatchObject({ code: "IO_NOT_FOUND" });
    const writer = await IndexedDatasetWriter.create(prefix, 10);
    await expect(writer.add([3, 10])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DataError: token id 10 does not fit a vocabulary of 10]`,
    );
    await writer.abort();
    expect(await exists(`${prefix}.bin`)).toBe(false);
    await write([[1, 2]]);
    const set = await IndexedDataset.open(prefix);
    expect(() => set.read(0, 1, 2, new Int32Array(2), 0)).toThrow(/tokens 1 to 3 of sequence 0, which has 2/);
    set.close();
  });
});
