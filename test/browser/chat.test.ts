/** Talking to models in the browser: streamed, stopped, two side by side, with votes, copied and shared. */
import { expect, it } from "vitest";
import { describeStudio, saved } from "./studio-process.ts";

interface Shared {
  models: string[];
  sampling: { temperature: number };
  turns: { question: string; answers: Record<string, { texts: string[]; state: string }> }[];
}

describeStudio("chat", (visit) => {
  const share = async () =>
    JSON.parse(
      await saved(visit.page, () => visit.page.getByRole("button", { name: "Share as JSON" }).click()),
    ) as Shared;

  it("shows an answer as it is written, copies it, and shares the conversation as JSON", async () => {
    const { page, go, says, calm } = visit;
    await go("/chat?model=tiny/finetuned");
    await page.getByLabel("longest answer, tokens").fill("400");
    await page.getByLabel("temperature").fill("1.2");
    await page.getByLabel("your question").fill("What confirms gout?");
    await page.keyboard.press("Enter");
    // Some of it stands there while the rest is still being written.
    const answer = page.getByRole("region", { name: "answer of tiny/finetuned" });
    await answer.locator(".prose").filter({ hasText: /\S/ }).waitFor();
    const early = await answer.locator(".prose").innerText();
    await answer.getByText(/\d\.\d s/).waitFor();
    const whole = await answer.locator(".prose").innerText();
    expect(whole.length).toBeGreaterThanOrEqual(early.length);
    await answer.getByRole("button", { name: "Copy" }).click();
    await answer.getByText("Copied").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const shared = await share();
    expect(shared).toMatchObject({ models: ["tiny/finetuned"], sampling: { temperature: 1.2 } });
    expect(shared.turns[0]!.answers["tiny/finetuned"]).toMatchObject({ texts: [copied], state: "done" });
    await says("Not medical advice");
    calm();
  });

  it("asks two models side by side and counts the votes of several samples", async () => {
    const { page, go, says, calm } = visit;
    await go("/chat?model=tiny/finetuned");
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByLabel("beside it").selectOption("tiny/base");
    await page.getByLabel("longest answer, tokens").fill("24");
    await page.getByLabel("samples (self-consistency)").fill("3");
    await page.getByLabel("your question").fill("Which one?\nA. aspirin\nB. heparin");
    await page.getByRole("button", { name: "Send" }).click();
    for (const model of ["tiny/finetuned", "tiny/base"]) {
      const answer = page.getByRole("region", { name: `answer of ${model}` });
      await answer.getByText("Votes of 3 samples").waitFor();
      await answer.getByText(/\d\.\d s/).waitFor();
      await answer.getByRole("button", { name: "3", exact: true }).click();
    }
    const { turns } = await share();
    expect(Object.keys(turns[0]!.answers)).toEqual(["tiny/finetuned", "tiny/base"]);
    expect(turns[0]!.answers["tiny/base"]!.texts).toHaveLength(3);
    await page.reload();
    await says("Which one?");
    calm();
  });

  it("stops an answer when asked to, and when the page is left in the middle", async () => {
    const { page, go, says, calm } = visit;
    await go("/chat?model=tiny/base");
    const ask = async () => {
      await page.getByRole("button", { name: "Clear" }).click();
      await page.getByLabel("longest answer, tokens").fill("2048");
      await page.getByLabel("samples (self-consistency)").fill("16");
      await page.getByLabel("your question").fill("Tell me everything.");
      await page.keyboard.press("Enter");
    };
    await ask();
    await page.getByRole("button", { name: "Stop" }).click();
    await says("stopped");
    await ask();
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.reload();
    await says("Tell me everything.");
    await says("stopped");
    calm();
  });
});
