/** Evaluations in the browser: the leaderboard, what is more than chance, and every item. */
import { expect, it } from "vitest";
import { describeStudio } from "./studio-process.ts";

describeStudio("evaluation", (visit) => {
  it("ranks the models and says which differences are more than chance", async () => {
    const { page, go, says, calm } = visit;
    await go("/evaluation?run=tiny");
    await says("medical");
    expect(await page.getByRole("img", { name: /95% interval/ }).count()).toBeGreaterThanOrEqual(5);
    await page.getByRole("button", { name: /^greedy/ }).click();
    await says(/within noise|better/);
    await says("p, corrected");
    await says("Published by others, on other benchmarks");
    await says("Meditron-70B");
    await page.getByRole("link", { name: "Subjects" }).click();
    await says("Accuracy by subject");
    calm();
  });

  it("opens every item: prompt, options with log-likelihoods, both parsers, and the votes of self-consistency", async () => {
    const { page, go, calm } = visit;
    await go("/evaluation?run=tiny&view=items");
    const list = page.getByRole("listbox", { name: "items" });
    const item = page.getByRole("region", { name: "item", exact: true });
    const pick = async (words: string) => {
      const select = page.locator(".filters").getByLabel("evaluation");
      const value = await select.locator("option", { hasText: words }).first().getAttribute("value");
      await select.selectOption(value!);
      await list.getByRole("option").first().click();
      await item.getByText("correct answer", { exact: true }).waitFor();
    };
    await pick("option-log-likelihood");
    await item.getByText(/nats/).first().waitFor();
    await pick("greedy");
    await item.getByText("lenient", { exact: true }).waitFor();
    await item.getByText("The prompt as the model saw it").click();
    await pick("self-consistency");
    await item.getByText("Votes of 3 samples").waitFor();
    expect(await item.getByRole("heading", { name: /^Answer \d votes/ }).count()).toBe(3);
    await page.getByRole("button", { name: "wrong", exact: true }).click();
    await page.waitForURL(/filter=wrong/);
    await expect.poll(() => list.getByText("right", { exact: true }).count()).toBe(0);
    calm();
  });

  it("sets both answers of an item that changed between two models side by side", async () => {
    const { page, go, calm } = visit;
    await go("/evaluation?run=tiny&view=changes");
    const list = page.getByRole("listbox", { name: "changed items" });
    await page.getByRole("button", { name: /^both wrong/ }).click();
    await list.getByRole("option").first().click();
    const both = page.getByRole("region", { name: "both answers" });
    await both.getByText("correct answer", { exact: true }).nth(1).waitFor();
    calm();
  });

  it("flags the items that stand in the training corpus", async () => {
    const { page, go, calm } = visit;
    await go("/evaluation?run=large&view=items");
    const list = page.getByRole("listbox", { name: "items" });
    await list.getByRole("option").first().waitFor();
    await page.getByRole("button", { name: "contaminated" }).click();
    await expect.poll(() => list.getByRole("option").count()).toBe(1);
    await list.getByRole("option").first().click();
    await page.getByText("This item was found in the training corpus: doc:7").waitFor();
    calm();
  });
});
