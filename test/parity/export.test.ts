/** Exported folders as others load them: transformers a whole model, PEFT the adapters of one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chatMlPrompt, chatMlTemplate } from "../../src/eval/prompts/index.ts";
import { exportAdapter, exportFolder } from "../../src/export/index.ts";
import { loadModel, SafetensorsReader } from "../../src/model/index.ts";
import { referenceKernels } from "../../src/native/reference.ts";
import { SAFETY_ADVISORY } from "../../src/run/model-card.ts";
import { loadTokenizer } from "../../src/tokens/index.ts";
import { runTrainer } from "../../src/train/trainer.ts";
import { tinyJob, writeTinyData } from "../support/tiny-job.ts";
import { missingPython, runPython } from "./python.ts";

const folder = mkdtempSync(join(tmpdir(), "meditron-export-"));
const reason = missingPython("torch", "transformers", "peft");
const kernels = referenceKernels();
const TEXTS = ["ada lives in rome. ", "  Größe: 5 µm\n\n🫀 <|im_start|>x<|im_end|>", ""];
const QUESTION = "where does eve live?";

describe.skipIf(reason)(`exports${reason ? ` (skipped: ${reason})` : ""}`, () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const checkpoints: Record<"whole" | "tuned", string> = { whole: "", tuned: "" };
  const out = (name: string) => join(folder, name);

  beforeAll(async () => {
    await (await writeTinyData(folder)).save(out("tokenizer"), { chatTemplate: chatMlTemplate() });
    checkpoints.whole = (
      await runTrainer(tinyJob(folder, { directory: out("base"), steps: 4 }), { kernels })
    ).modelDirectory;
    const lora = { rank: 4, alpha: 8, targets: ["q_proj", "v_proj", "o_proj", "gate_proj", "down_proj"] };
    const changes = { directory: out("lora"), model: checkpoints.whole, steps: 6, lora };
    checkpoints.tuned = (await runTrainer(tinyJob(folder, changes), { kernels })).modelDirectory;
    await exportFolder(checkpoints.whole, out("as it is"));
    await exportFolder(checkpoints.whole, out("bf16"), { dtype: "bf16", shardBytes: 40_000 });
    await exportFolder(checkpoints.tuned, out("merged"));
    await exportAdapter(checkpoints.tuned, out("adapter"), { baseModel: "someone/base" });
    const common = { tokens: tokens(), texts: TEXTS, messages: [{ role: "user", content: QUESTION }] };
    const request = (name: string) => ({ ...common, directory: out(name), output: out(`${name}-theirs`) });
    const requests = [
      ...["as it is", "bf16", "merged"].map(request),
      { ...request("adapter"), base: checkpoints.whole },
    ];
    writeFileSync(join(folder, "requests.json"), JSON.stringify(requests));
    runPython("load_exports.py", folder);
  }, 240_000);

  // The adapters beside their base must give what the merged weights give.
  for (const [name, weights] of [
    ["as it is", "as it is"],
    ["bf16", "bf16"],
    ["merged", "merged"],
    ["adapter", "merged"],
  ] as const)
    it(`${name}: the same logits, token ids and chat`, async () => {
      const model = await loadModel(out(weights), { kernels, precision: "f32" });
      const ours = model.logits({ batch: 2, tokens: Int32Array.from(tokens().flat()) });
      const theirs = await readLogits(`${name}-theirs.safetensors`, ours.length);
      // Float32 on both sides; logits are of order one.
      expect(largestDifference(ours, theirs)).toBeLessThan(1e-4);
      const tokenizer = await loadTokenizer(out(name));
      expect(JSON.parse(readFileSync(out(`${name}-theirs.json`), "utf8"))).toEqual({
        ids: TEXTS.map((text) => tokenizer.encode(text)),
        chat: chatMlPrompt(QUESTION),
      });
      expect(readFileSync(join(out(name), "README.md"), "utf8")).toContain(SAFETY_ADVISORY);
    });

  it("adapters change the model, so agreeing on them says something", async () => {
    const [whole, merged] = await Promise.all(
      ["as it is-theirs", "merged-theirs"].map((name) => readLogits(`${name}.safetensors`, 2 * 12 * 300)),
    );
    expect(largestDifference(whole!, merged!)).toBeGreaterThan(1e-2);
    expect(JSON.parse(readFileSync(join(out("adapter"), "adapter_config.json"), "utf8"))).toMatchObject({
      base_model_name_or_path: "someone/base",
      r: 4,
      lora_alpha: 8,
    });
  });
});

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));

function tokens(): number[][] {
  return [0, 1].map((row) => Array.from({ length: 12 }, (_, i) => (row * 84 + i * 7) % 290));
}

async function readLogits(file: string, length: number): Promise<Float32Array> {
  const reader = await SafetensorsReader.open(folder, file);
  const logits = new Float32Array(length);
  expect(reader.shape("logits")!.reduce((a, b) => a * b, 1)).toBe(length);
  await reader.read("logits", logits);
  await reader.close();
  return logits;
}
