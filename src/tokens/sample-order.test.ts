import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import golden from "../../test/golden/sample-order.json" with { type: "json" };
import { BlendedSamples, blendSizes, buildBlend } from "./blending.ts";
import { IndexedDataset, IndexedDatasetWriter } from "./indexed-dataset.ts";
import { buildSampleOrder, GptDataset } from "./sample-order.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "order-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** A token set whose ids count up, so that a window shows where it was cut. */
async function countingSet(name: string, lengths: readonly number[]): Promise<IndexedDataset> {
  const prefix = join(directory, name);
  const writer = await IndexedDatasetWriter.create(prefix, 1 << 20);
  let next = 0;
  for (const length of lengths) await writer.add(Array.from({ length }, () => next++));
  await writer.commit();
  return IndexedDataset.open(prefix);
}

describe("order of documents and windows", () => {
  it.each(golden.orders.map((order, i) => [i, order] as const))("is numpy's, case %i", (_i, order) => {
    const ours = buildSampleOrder(Int32Array.from(order.lengths), {
      sequenceLength: order.sequenceLength,
      samples: order.samples ?? undefined,
      seed: order.seed,
    });
    expect(ours.epochs).toBe(order.epochs);
    expect([...ours.documents]).toEqual(order.documents);
    expect([...ours.rows]).toEqual(order.rows.flat());
    expect([...ours.shuffle]).toEqual(order.shuffle);
  });

  it("covers both ways of shuffling the last epoch", () => {
    expect(new Set(golden.orders.map((order) => order.separate))).toEqual(new Set([true, false]));
  });

  it("windows are the shuffled documents laid end to end, overlapping by one token", async () => {
    const lengths = [7, 3, 12, 1, 9, 30, 4, 4];
    const set = await countingSet("windows", lengths);
    const dataset = new GptDataset(set, { sequenceLength: 8, samples: 20, seed: 1234 });
    const stream = [...dataset.order.documents].flatMap((sequence) => [...set.sequence(sequence)]);
    for (let i = 0; i < dataset.length; i++) {
      const window = dataset.order.shuffle[i]!;
      expect([...dataset.sample(i)]).toEqual(stream.slice(8 * window, 8 * window + 9));
    }
    // Token 7 of document 1 … : position → document number within the window, from the same stream.
    const owner = [...dataset.order.documents].flatMap((sequence, n) => Array(lengths[sequence]).fill(n) as number[]);
    for (let i = 0; i < dataset.length; i++) {
      const cut = owner.slice(8 * dataset.order.shuffle[i]!, 8 * dataset.order.shuffle[i]! + 8);
      const numbers = [...new Set(cut)];
      expect([...dataset.documents(i)]).toEqual(cut.map((n) => numbers.indexOf(n)));
      expect(dataset.sequences(i).slice(0, numbers.length)).toEqual(numbers.map((n) => dataset.order.documents[n]));
    }
    expect(() => dataset.sample(dataset.length)).toThrow(/sample \d+ of \d+/);
    dataset.close();
  });

  it("refuses a set that does not fill one window", () => {
    expect(() =>
      buildSampleOrder(Int32Array.of(3, 4), { sequenceLength: 8, seed: 1 }),
    ).toThrowErrorMatchingInlineSnapshot(`[ConfigError: 7 tokens do not fill one window of 8 + 1]`);
  });

  it("is quick for a hundred million tokens", () => {
    const lengths = new Int32Array(200_000).fill(500);
    const start = performance.now();
    const order = buildSampleOrder(lengths, { sequenceLength: 2048, samples: 48_000, seed: 1234 });
    expect(order.shuffle.length).toBe(Math.floor((1e8 - 1) / 2048));
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

describe("blending", () => {
  it.each(golden.blends.map((blend, i) => [i, blend] as const))("is Megatron's, case %i", (_i, blend) => {
    const ours = buildBlend(blend.weights, blend.size);
    expect([...ours.sets]).toEqual(blend.sets);
    expect([...ours.samples]).toEqual(blend.samples);
  });

  it("reads each draw from its set", async () => {
    const one = new GptDataset(await countingSet("one", [500]), { sequenceLength: 4, samples: 81, seed: 1 });
    const two = new GptDataset(await countingSet("two", [90]), { sequenceLength: 4, samples: 21, seed: 1 });
    expect(blendSizes([4, 1], 100)).toEqual([81, 21]);
    const blended = new BlendedSamples([one, two], [4, 1], 100);
    const drawn = [0, 0];
    for (let i = 0; i < 100; i++) {
      const { set, sample } = blended.locate(i);
      expect(sample).toBe(drawn[set]!++);
      expect(blended.sample(i)).toEqual([one, two][set]!.sample(sample));
    }
    expect(drawn).toEqual([80, 20]);
    expect(() => buildBlend([1, 0], 3)).toThrow(/positive/);
    one.close();
    two.close();
  });
});
