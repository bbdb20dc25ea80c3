/** Trainings in the browser: curves, overlay, checkpoints with what the model wrote, live. */
import { expect, it } from "vitest";
import { describeStudio } from "./studio-process.ts";

describeStudio("training", (visit) => {
  it("draws the curves of a finished run with its checkpoints and their samples", async () => {
    const { page, go, says, calm } = visit;
    await go("/training?run=tiny");
    for (const name of ["training loss", "validation loss", "learning rate", "gradient norm", "tokens per second"])
      await page.getByRole("img", { name: new RegExp(`^${name}`) }).waitFor();
    await page.getByRole("img", { name: /^global sample number/ }).waitFor();
    expect(await page.getByRole("row", { name: /base/ }).innerText()).toMatch(/30 \/ 30/);
    // Steps 10, 20 and 30: each a checkpoint, and what the model wrote there.
    const base = page.getByRole("region", { name: "checkpoints of base" });
    expect(await base.getByRole("listitem").count()).toBe(3);
    expect(await base.locator("blockquote").count()).toBe(3);
    await page.getByRole("button", { name: "log", exact: true }).click();
    await page.getByRole("button", { name: "data position" }).click();
    await page.getByLabel("peak, TFLOP/s").fill("1");
    await says("Model FLOPs utilization (MFU)");
    calm();
  });

  it("marks checkpoints and spikes under the cursor", async () => {
    const { page, go, calm, runs } = visit;
    const { appendFile } = await import("node:fs/promises");
    const spike = {
      event: "loss-spike",
      time: new Date().toISOString(),
      step: 15,
      loss: 9,
      zScore: 7.5,
      action: "log",
    };
    await appendFile(`${runs}/tiny/train/continued/events.jsonl`, `${JSON.stringify(spike)}\n`);
    await go("/training?run=tiny&show=tiny/continued");
    const chart = page.getByRole("img", { name: /^training loss/ });
    const over = chart.locator(".u-over");
    await over.waitFor();
    const box = (await over.boundingBox())!;
    const tip = chart.locator(".tip");
    // 30 steps over the width: step s stands at (s − 1) / 29 of it.
    const at = async (step: number, words: RegExp) => {
      await page.mouse.move(box.x + (box.width * (step - 1)) / 29, box.y + box.height / 2);
      await expect.poll(() => tip.innerText()).toMatch(words);
    };
    await at(20, /step 20[\s\S]*checkpoint of continued at step 20/);
    await at(15, /spike in continued at step 15: z 7\.5/);
    calm();
  });

  it("lays another run over it, and follows one that goes on", async () => {
    const { page, go, calm } = visit;
    await go("/training?run=tiny");
    await page.getByRole("checkbox", { name: "finetuned" }).uncheck();
    await expect.poll(() => page.getByRole("row", { name: /finetuned/ }).count()).toBe(0);
    expect(page.url()).toContain("show=");
    await page.getByLabel("lay another run over this one").selectOption("live");
    await page.getByRole("row", { name: /live\/base/ }).waitFor();
    await page.reload();
    await page.getByRole("row", { name: /live\/base/ }).waitFor(); // what is shown stands in the address

    await go("/training?run=live");
    const step = async () =>
      (await page.getByRole("row", { name: /base/ }).innerText()).match(/([\d,]+) \/ 100,000/)?.[1];
    await expect.poll(step, { timeout: 170_000 }).toBeTruthy();
    const before = await step();
    await expect.poll(step, { timeout: 60_000 }).not.toBe(before);
    calm();
  });
});
