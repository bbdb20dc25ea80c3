import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyJob, writeTinyData } from "../../test/support/tiny-job.ts";
import { writeFileAtomic } from "../core/index.ts";
import { loadKernels } from "../native/index.ts";
import { type Tokenizer, trainTokenizer } from "../tokens/index.ts";
import { ExampleSamples, loadExamples } from "./examples.ts";
import { finetuningExamples, finetuningSteps, writeExamples } from "./finetuning.ts";
import { runTrainer } from "./trainer.ts";

let directory: string;
let tokenizer: Tokenizer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "finetuning-"));
  tokenizer = await writeTinyData(directory);
});
afterAll(() => rm(directory, { recursive: true }));

const messages = [
  { question: "where does ada live?\nA. rome\nB. oslo", answer: "A" },
  { question: "where does bo live?\nA. rome\nB. oslo", answer: "B" },
  { question: "where does cy live?\nA. kyiv\nB. lima", answer: "A" },
];

describe("examples", () => {
  it("learn exactly the answer message, its header and end mark included", () => {
    const [example] = finetuningExamples(messages, tokenizer, { sequenceLength: 200 });
    const text = (weight: number) => tokenizer.decode(example!.tokens.filter((_, i) => example!.weights[i] === weight));
    expect(text(0)).toBe("<|im_start|>question\nwhere does ada live?\nA. rome\nB. oslo<|im_end|>\n");
    expect(text(1)).toBe("<|im_start|>answer\nA<|im_end|>\n");
    expect(example!.tokens).toEqual(tokenizer.encode(text(0) + text(1)));
  });

  it("take other roles, a system message and a weight for the prompt", () => {
    const [example] = finetuningExamples([{ ...messages[0]!, system: "Be brief." }], tokenizer, {
      sequenceLength: 200,
      roles: { system: "system", question: "user", answer: "assistant" },
      promptWeight: 0.25,
    });
    expect(tokenizer.decode(example!.tokens)).toBe(
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nwhere does ada live?\nA. rome\nB. oslo<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n",
    );
    expect(new Set(example!.weights)).toEqual(new Set([0.25, 1]));
  });

  it("lose the beginning of a long question, never a token of the answer", () => {
    const long = { question: `${"much context. ".repeat(50)}What is it?`, answer: "the very end" };
    const whole = tokenizer.encode("<|im_start|>answer\nthe very end<|im_end|>\n");
    for (const sequenceLength of [40, 60, 100]) {
      const [example] = finetuningExamples([long], tokenizer, { sequenceLength });
      expect(example!.tokens).toHaveLength(sequenceLength + 1);
      expect(example!.tokens.slice(-whole.length)).toEqual(whole);
      expect(example!.weights.filter((weight) => weight === 1)).toHaveLength(whole.length);
      const text = tokenizer.decode(example!.tokens);
      expect(text.startsWith("<|im_start|>question\n")).toBe(true);
      if (sequenceLength >= 60) expect(text).toContain("What is it?<|im_end|>\n<|im_start|>answer\n");
    }
    const dropped: unknown[] = [];
    expect(
      finetuningExamples([long], tokenizer, { sequenceLength: 20, onDropped: (drop) => dropped.push(drop) }),
    ).toEqual([]);
    expect(dropped).toHaveLength(1);
  });

  it("need the message marks in the vocabulary", async () => {
    const plain = await trainTokenizer(["a b a b"], { vocabSize: 258 });
    expect(() => finetuningExamples(messages, plain, { sequenceLength: 50 })).toThrow(
      /no <\|im_start\|> and <\|im_end\|>/,
    );
  });
});

it("steps of the published runs", () => {
  const steps = Object.entries({
    medmcqa: 159_669,
    cotmedmcqa: 182_822,
    medqa: 10_178,
    cotmedqa: 8_204,
    pubmedqa: 200_000,
  }).map(([name, examples]) => [name, finetuningSteps(examples)]);
  expect(Object.fromEntries(steps)).toEqual({
    medmcqa: 7490,
    cotmedmcqa: 8570,
    medqa: 480,
    cotmedqa: 390,
    pubmedqa: 9380,
  });
});

describe("windows of examples", () => {
  const file = () => join(directory, "examples.jsonl");
  const options = { sequenceLength: 100, seed: 3, padId: 299 };
  const load = async () => {
    await writeExamples(file(), finetuningExamples(messages, tokenizer, { sequenceLength: 100 }));
    return loadExamples(file(), 100);
  };

  it("padded: one example each, shifted weights, a fresh permutation an epoch", async () => {
    const source = new ExampleSamples(await load(), { ...options, layout: "padded", samples: 9 });
    const made = finetuningExamples(messages, tokenizer, { sequenceLength: 100 });
    const seen: number[] = [];
    for (let i = 0; i < 9; i++) {
      const [window, weights] = [source.sample(i), source.weights(i)];
      const which = made.findIndex(({ tokens }) => tokens.every((id, at) => window[at] === id));
      seen.push(which);
      const { tokens, weights: own } = made[which]!;
      expect([...window.subarray(tokens.length)].every((id) => id === 299)).toBe(true);
      // weights[t] belongs to the label of position t, the token at t + 1.
      expect([...weights]).toEqual([...own.slice(1), ...Array(100 - own.length + 1).fill(0)]);
    }
    for (const epoch of [0, 3, 6]) expect(new Set(seen.slice(epoch, epoch + 3))).toEqual(new Set([0, 1, 2]));
    expect(new Set([0, 3, 6].map((epoch) => seen.slice(epoch, epoch + 3).join())).size).toBeGreaterThan(1);
  });

  it("packed: several a window with their own document number, each epoch complete", async () => {
    const source = new ExampleSamples(await load(), { ...options, layout: "packed", samples: 4 });
    const made = finetuningExamples(messages, tokenizer, { sequenceLength: 100 });
    const total = made.reduce((sum, { weights }) => sum + weights.filter((w) => w > 0).length, 0);
    const perEpoch = source.length / Math.round(source.length / 2);
    expect(perEpoch).toBe(2);
    let learnt = 0;
    for (let i = 0; i < perEpoch; i++) {
      const [window, weights, documents] = [source.sample(i), source.weights(i), source.documents(i)];
      learnt += weights.filter((weight) => weight > 0).length;
      const starts = [...documents]
        .map((id, at) => at === 0 || documents[at - 1] !== id)
        .flatMap((start, at) => (start ? [at] : []));
      for (const at of starts) {
        expect(window[at]).toBe(tokenizer.idOf("<|im_start|>"));
        if (at > 0) expect(weights[at - 1]).toBe(0);
      }
    }
    expect(learnt).toBe(total);
  });

  it.each([
    ["lengths that differ", '{"tokens":[1,2],"weights":[1]}', /2 tokens but 1 weights/],
    ["too long", `{"tokens":[${Array(102).fill(1)}],"weights":[${Array(102).fill(1)}]}`, /102 tokens do not fit/],
    ["nothing to learn", '{"tokens":[1,2],"weights":[1,0]}', /nothing to learn/],
    ["no number", '{"tokens":[1,"x"],"weights":[1,1]}', /token 1 is "x"/],
    ["a negative weight", '{"tokens":[1,2],"weights":[1,-1]}', /weight 1 is -1/],
  ])("a bad line: %s", async (_name, line, message) => {
    await writeFileAtomic(file(), `{"tokens":[1,2],"weights":[0,1]}\n${line}\n`);
    await expect(loadExamples(file(), 100)).rejects.toThrow(message);
    await expect(loadExamples(file(), 100)).rejects.toMatchObject({ where: `${file()}:2` });
  });
});

describe("training on examples", () => {
  it.each(["padded", "packed"] as const)("%s: the answers are learnt", async (layout) => {
    const path = join(directory, `train-${layout}.jsonl`);
    await writeExamples(path, finetuningExamples(messages, tokenizer, { sequenceLength: 100 }));
    const job = tinyJob(directory, {
      directory: join(directory, `run-${layout}`),
      sequenceLength: 100,
      data: { kind: "finetuning", examples: path, layout, validation: [{ name: "same", examples: path }] },
      steps: 60,
      globalBatchSize: 3,
      microBatchSize: 1,
    });
    const result = await runTrainer(job, { kernels: loadKernels({ threads: 1 }) });
    expect(result.loss).toBeLessThan(0.1);
    expect(result.validation.same).toBeLessThan(0.1);
  });

  it("packed with masks gives each example the loss it has alone", async () => {
    // Same weights (learning rate 0), all three examples in one step, either way: the mean over answer tokens must agree.
    const path = join(directory, "same.jsonl");
    await writeExamples(path, finetuningExamples(messages, tokenizer, { sequenceLength: 150 }));
    const loss = async (layout: string, globalBatchSize: number) => {
      const job = tinyJob(directory, {
        directory: join(directory, `same-${layout}`),
        sequenceLength: 150,
        data: { kind: "finetuning", examples: path, layout },
        steps: 1,
        globalBatchSize,
        microBatchSize: 1,
      });
      return (await runTrainer(job, { kernels: loadKernels({ threads: 1 }) })).loss;
    };
    expect(await loss("packed", 1)).toBeCloseTo(await loss("padded", 3), 5);
  });
});
