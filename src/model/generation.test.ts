import { describe, expect, it } from "vitest";
import { relativeError } from "../../test/support/gradients.ts";
import { IMPLEMENTATIONS } from "../../test/support/kernels.ts";
import { TINY_CONFIGS } from "../../test/support/tiny-models.ts";
import { counterRandom } from "../core/index.ts";
import { referenceKernels } from "../native/reference.ts";
import { parseConfig } from "./config.ts";
import { type GenerateJob, Scheduler, type SchedulerOptions } from "./generation.ts";
import { initializeModel, type Llama } from "./model.ts";
import { chooseToken, logLikelihoodOf } from "./sampling.ts";

function tiny(family: string): Llama {
  const kernels = referenceKernels();
  return initializeModel(parseConfig(TINY_CONFIGS[family]), { kernels, precision: "f32", trainable: false, seed: 3 });
}

const prompt = (length: number, seed: number) => Array.from({ length }, (_, i) => counterRandom(seed, i) % 37);

type Output = Parameters<GenerateJob["onDone"]>[0];

function generate(model: Llama, jobs: Partial<GenerateJob>[], options: SchedulerOptions = {}): Output[] {
  const scheduler = new Scheduler(model, options);
  const outputs: Output[] = [];
  for (const [i, job] of jobs.entries()) {
    scheduler.add({
      kind: "generate",
      tokens: [1],
      maxTokens: 8,
      temperature: 0,
      topP: 1,
      topK: 0,
      seed: 0,
      endIds: new Set(),
      ...job,
      onDone: (output) => {
        outputs[i] = output;
      },
    });
  }
  while (!scheduler.isIdle) scheduler.step();
  return outputs;
}

function score(model: Llama, jobs: { tokens: number[]; from: number }[], options: SchedulerOptions = {}): number[][] {
  const scheduler = new Scheduler(model, options);
  const results: number[][] = [];
  for (const [i, job] of jobs.entries()) {
    scheduler.add({
      kind: "score",
      ...job,
      onDone: ({ logLikelihoods }) => {
        results[i] = [...logLikelihoods];
      },
    });
  }
  while (!scheduler.isIdle) scheduler.step();
  return results;
}

/** Greedy continuation by running the whole sequence again for every token. */
function naiveGreedy(model: Llama, tokens: number[], count: number): number[] {
  const all = [...tokens];
  for (let n = 0; n < count; n++) {
    const logits = Array.from(model.logits({ batch: 1, tokens: Int32Array.from(all) }).slice(-37));
    all.push(logits.indexOf(Math.max(...logits)));
  }
  return all.slice(tokens.length);
}

describe("generation", () => {
  for (const family of Object.keys(TINY_CONFIGS)) {
    it(`with the cache is generation without (${family})`, () => {
      const model = tiny(family);
      const prompts = [prompt(3, 1), prompt(9, 2), prompt(1, 3), [...prompt(9, 2), 5]];
      // Two slots for four requests and five rows a call: prompts are cut, slots change hands, beginnings are shared.
      const outputs = generate(
        model,
        prompts.map((tokens) => ({ tokens })),
        { slots: 2, rowsPerCall: 5 },
      );
      for (const [i, tokens] of prompts.entries())
        expect(outputs[i]!.tokens, `prompt ${i}`).toEqual(naiveGreedy(model, tokens, 8));
    });
  }

  for (const [kind, kernels] of IMPLEMENTATIONS) {
    for (const precision of kind === "native" ? (["f32", "bf16"] as const) : (["f32"] as const)) {
      it(`of a request depends on its seed, not on its company, to the last bit (${kind}, ${precision})`, () => {
        const config = parseConfig({ ...TINY_CONFIGS["llama-2"], max_position_embeddings: 128, hidden_size: 64 });
        const model = initializeModel(config, { kernels, precision, trainable: false, seed: 3 });
        const job = { tokens: prompt(40, 1), temperature: 0.9, topP: 0.9, seed: 11 };
        const [alone] = generate(model, [job]);
        // Others that come and go, cut its prompt in pieces of seven, and share most of its beginning.
        const strangers = Array.from({ length: 7 }, (_, i) => ({
          tokens: prompt(2 + 9 * i, 50 + i),
          temperature: 1,
          seed: i,
        }));
        const cousins = [3, 38, 39].map((shared) => ({ tokens: [...prompt(shared, 1), 5, 6, 7] }));
        const crowd = generate(model, [...strangers, ...cousins, job, { ...job, seed: 12 }], {
          slots: 3,
          rowsPerCall: 7,
        });
        expect(crowd[10]).toEqual(alone);
        expect(crowd[11]!.tokens).not.toEqual(alone!.tokens);
      });
    }
  }

  it("takes a longer request along while others write, without changing theirs", () => {
    const model = tiny("llama-2");
    const scheduler = new Scheduler(model, { slots: 3 });
    const outputs: number[][] = [];
    const heard: number[][] = [[], []];
    const add = (i: number, tokens: number[], maxTokens: number) =>
      scheduler.add({
        kind: "generate",
        tokens,
        maxTokens,
        temperature: 0,
        topP: 1,
        topK: 0,
        seed: 0,
        endIds: new Set(),
        onToken: (token) => heard[i]!.push(token),
        onDone: (output) => {
          outputs[i] = output.tokens;
        },
      });
    // A cache of 16 positions would do for the first; the second needs 60 and comes when four tokens are written.
    add(0, [1, 2], 12);
    for (let step = 0; step < 4; step++) scheduler.step();
    expect(heard[0]).toHaveLength(4);
    add(1, prompt(52, 1), 8);
    scheduler.step();
    expect(scheduler.isIdle).toBe(false);
    while (!scheduler.isIdle) scheduler.step();
    expect(outputs).toEqual([naiveGreedy(model, [1, 2], 12), naiveGreedy(model, prompt(52, 1), 8)]);
    expect(heard).toEqual(outputs);
  });

  it("ends at an end token, at a stop, at the limit and at the context", () => {
    const model = tiny("llama-2");
    const greedy = naiveGreedy(model, [1], 8);
    const end = greedy.findIndex((token, i) => i > 1 && greedy.indexOf(token) === i);
    const outputs = generate(model, [
      { endIds: new Set([greedy[end]!]) },
      { isStopped: (output) => output.length === 3 },
      { maxTokens: 2 },
      { tokens: prompt(60, 1), maxTokens: 100 },
    ]);
    expect(outputs.map(({ finish }) => finish)).toEqual(["end-of-text", "stop", "length", "length"]);
    expect(outputs[0]!.tokens).toEqual(greedy.slice(0, end));
    expect(outputs.slice(1).map(({ tokens }) => tokens.length)).toEqual([3, 2, 64 - 60]);
  });

  it("refuses what cannot fit, before any work", () => {
    const model = tiny("llama-2");
    expect(() => generate(model, [{ tokens: prompt(64, 1) }])).toThrowErrorMatchingInlineSnapshot(
      `[DataError: the request takes 64 tokens; the model's context has room for 63]`,
    );
    expect(() => generate(model, [{ tokens: [] }])).toThrowErrorMatchingInlineSnapshot(
      `[DataError: there is no token to start from]`,
    );
  });
});

describe("scoring", () => {
  it("gives the losses of the plain forward pass, whatever is shared", () => {
    for (const family of ["llama-2", "mistral", "qwen3"]) {
      const model = tiny(family);
      const shots = prompt(12, 1);
      const jobs = [0, 1, 2].flatMap((question) => {
        const context = [...shots, ...prompt(4 + question, 10 + question)];
        return [0, 1, 2, 3].map((option) => ({
          tokens: [...context, ...prompt(1 + option, 20 + option)],
          from: context.length,
        }));
      });
      const scores = score(model, jobs, { slots: 3, rowsPerCall: 9 });
      for (const [i, { tokens, from }] of jobs.entries()) {
        const whole = model.losses({
          batch: 1,
          tokens: Int32Array.from(tokens.slice(0, -1)),
          targets: Int32Array.from(tokens.slice(1)),
        });
        // float32 storage, sums in float64: a few roundings of 6e-8 per layer.
        expect(
          relativeError(
            scores[i]!,
            Array.from(whole.subarray(from - 1), (nats) => -nats),
          ),
          `${family} ${i}`,
        ).toBeLessThan(1e-5);
      }
    }
  });

  it("computes a common beginning once", () => {
    const kernels = referenceKernels();
    let rows = 0;
    const counting = {
      ...kernels,
      embedding: (...args: Parameters<typeof kernels.embedding>) => {
        if (args[4] === 16 && args[2] === model.weights.embedding.data) rows += args[3];
        kernels.embedding(...args);
      },
    };
    const model = initializeModel(parseConfig(TINY_CONFIGS["llama-2"]), {
      kernels: counting,
      precision: "f32",
      trainable: false,
    });
    const context = prompt(30, 1);
    score(
      model,
      [1, 2, 3, 4].map((option) => ({ tokens: [...context, option, option], from: 30 })),
    );
    // The first computes 31 of its 32 tokens; the others what predicts their own two: positions 29 and 30.
    expect(rows).toBe(31 + 3 * 2);
  });

  it("of tokens in place of the last one is that of jobs of their own, to the last bit", () => {
    for (const [name, kernels] of IMPLEMENTATIONS) {
      const model = initializeModel(parseConfig(TINY_CONFIGS["llama-2"]), {
        kernels,
        precision: "f32",
        trainable: false,
        seed: 3,
      });
      const context = prompt(30, 1);
      const options = Array.from({ length: 37 }, (_, token) => token);
      const results: { logLikelihood: number; isGreedy: boolean }[] = [];
      const together = new Scheduler(model);
      together.add({
        kind: "score",
        tokens: [...context, options[0]!],
        from: 30,
        instead: options.slice(1),
        onDone: ({ logLikelihoods, isGreedy, instead }) =>
          results.push({ logLikelihood: logLikelihoods[0]!, isGreedy }, ...instead),
      });
      while (!together.isIdle) together.step();
      const alone = options.map((option) => score(model, [{ tokens: [...context, option], from: 30 }])[0]![0]!);
      expect(
        results.map(({ logLikelihood }) => logLikelihood),
        name,
      ).toEqual(alone);
      // One token of the whole vocabulary is the model's first choice: the likeliest.
      expect(results.map(({ isGreedy }) => isGreedy)).toEqual(alone.map((nats) => nats === Math.max(...alone)));
    }
  });

  it("of nothing is nothing", () => {
    expect(score(tiny("llama-2"), [{ tokens: [1, 2], from: 2 }])).toEqual([[]]);
  });
});

describe("choosing a token", () => {
  const logits = Float32Array.from([0.5, 0.25, 0.125, 0.0625, 0.0625], Math.log);
  const draw = (settings: { temperature: number; topP?: number; topK?: number }) => {
    const counts = new Array<number>(5).fill(0);
    for (let i = 0; i < 1600; i++) counts[chooseToken(logits, { topP: 1, topK: 0, ...settings }, (i + 0.5) / 1600)]!++;
    return counts;
  };
  it("is greedy at temperature 0", () => expect(draw({ temperature: 0 })).toEqual([1600, 0, 0, 0, 0]));
  it("follows the probabilities at 1", () => expect(draw({ temperature: 1 })).toEqual([800, 400, 200, 100, 100]));
  it("keeps the top k", () => expect(draw({ temperature: 1, topK: 2 })).toEqual([1067, 533, 0, 0, 0]));
  it("keeps the nucleus", () => expect(draw({ temperature: 1, topP: 0.7 })).toEqual([1067, 533, 0, 0, 0]));
  // At temperature 1/2 probabilities are squared: 64, 16, 4, 1, 1 of 86.
  it("sharpens", () => expect(draw({ temperature: 0.5 })).toEqual([1191, 297, 75, 18, 19]));
  it("is as likely as the model says, whatever the settings", () => {
    expect(chooseToken(logits, { temperature: 0.3, topP: 0.5, topK: 3 }, 0.2)).toBe(0);
    expect(logLikelihoodOf(logits, 0)).toBeCloseTo(Math.log(0.5), 6);
  });
});
