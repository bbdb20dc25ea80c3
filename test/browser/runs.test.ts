/** Runs in the browser: the pipeline, finished and going on, and two recipes beside each other. */
import { expect, it } from "vitest";
import { describeStudio } from "./studio-process.ts";

describeStudio("runs", (visit) => {
  it("lists the runs, finished and going on, and compares their recipes", async () => {
    const { page, go, says, calm } = visit;
    await go("/");
    const state = (run: string) => page.locator(".run-list li", { hasText: run }).locator(".badge").first();
    await expect.poll(() => state("live").innerText()).toBe("running");
    expect(await state("tiny").innerText()).toBe("finished");
    await page.getByLabel("choose tiny for comparison").check();
    await page.getByLabel("choose live for comparison").check();
    await page.getByRole("button", { name: /Compare recipes/ }).click();
    await says("train.base.steps");
    expect(await page.getByRole("row", { name: /train\.base\.steps/ }).innerText()).toMatch(/30\s+100000/);
    // The samples stand in one recipe only: a block of it. The two run directories are no difference.
    expect(await page.getByRole("row", { name: /train\.base\.samples/ }).innerText()).toMatch(/The patient|only here/);
    expect(await page.getByRole("row", { name: /sources/ }).count()).toBe(0);
    calm();
  });

  it("shows a finished run: every stage with counts and time, its recipe, where it was made", async () => {
    const { page, go, says, calm, url } = visit;
    await go("/runs/tiny");
    const stages = page.getByRole("list", { name: "stages of the run" }).getByRole("button");
    await stages.first().waitFor();
    const shown = await stages.allInnerTexts();
    const { stages: all } = (await (await fetch(`${url}/api/runs/tiny`)).json()) as { stages: unknown[] };
    expect(shown).toHaveLength(all.length);
    for (const one of shown) expect(one).toMatch(/finished[\s\S]*\d+(\.\d+)?s|finished[\s\S]*\d+m/);
    await stages.filter({ hasText: "medical" }).first().click();
    await says("reads from");
    expect(await page.locator(".stage-detail").innerText()).toMatch(/records/);
    await page.reload();
    await page.locator(".stage-detail").waitFor(); // the chosen stage stands in the address
    await page.locator("section").filter({ hasText: "Recipe" }).getByRole("button", { name: "Copy" }).first().click();
    await says("Copied");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("hidden_size: 64");
    calm();
  });

  it("follows a run that goes on without being asked, also after a reload in the middle", async () => {
    const { page, go, says, calm } = visit;
    await go("/runs/live");
    const step = page.locator(".stage.running").getByText(/step [\d,.K]+ of/);
    const waitForStep = () => step.first().waitFor({ timeout: 170_000 }); // the stages before it come first
    const changes = async () => {
      await waitForStep();
      const before = await step.first().innerText();
      await expect.poll(() => step.first().innerText(), { timeout: 60_000 }).not.toBe(before);
    };
    await changes();
    await page.reload();
    await changes();
    await says("live");
    calm();
  });
});
