/** The self-test that decides at the start which attention kernel is trusted. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missingTorch } from "../parity/python.ts";
import { ROOT, runPython } from "./support.ts";

const reason = missingTorch();

describe.skipIf(reason)(`torch engine: attention${reason ? ` (skipped: ${reason})` : ""}`, () => {
  it("trusts a backend whose gradients are right, and none that is missing, not a number, or off", async () => {
    const verdicts = JSON.parse(await runPython([join(ROOT, "test/torch/check_attention.py")]));
    expect(verdicts).toEqual({ math: true, cudnn: false, NaN: false, "five percent off": false });
  });
});
