/** Reviews in the browser, from the invite to preference pairs: as clinicians do them, through reloads and crashes. */
import { rmSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { criterionNames } from "../../src/serve/review-criteria.ts";
import { describeStudio, newRunsFolder, openPage, saved, startStudio } from "./studio-process.ts";

const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Fills in the form of a new set from own records. */
async function makeSet(page: Page, name: string, records: unknown[], criteria: string[]): Promise<void> {
  await page.getByRole("button", { name: "New review set" }).click();
  await page.getByRole("button", { name: "own records" }).click();
  await page.getByLabel("name", { exact: true }).fill(name);
  await page
    .getByLabel(/records, one JSON object a line/)
    .fill(records.map((record) => JSON.stringify(record)).join("\n"));
  for (const criterion of criterionNames)
    if (!criteria.includes(criterion)) await page.getByLabel(criterion, { exact: true }).uncheck();
  await page.getByRole("button", { name: "Make the set" }).click();
  await page.waitForURL(/\/review\/\d+$/);
}

async function invite(page: Page, name: string): Promise<string> {
  await page.getByPlaceholder("name of a clinician").fill(name);
  await page.getByRole("button", { name: "Invite" }).click();
  await page.getByRole("status").getByText(name).waitFor();
  const link = await page.locator(".invite-link").innerText();
  expect(link).toMatch(/\/invite#[\w-]{20,}$/);
  return link;
}

const score = (sheet: Page, side: string, criterion: string, label: string) =>
  sheet
    .getByRole("region", { name: side, exact: true })
    .getByRole("group", { name: new RegExp(`^${criterion}`) })
    .getByRole("radio", { name: label })
    .check({ force: true });

describeStudio("review", (visit) => {
  it("takes a blind pair from invite to preference pairs, saved as it is typed", async () => {
    const { page, browser, url, go, says, calm, hostile } = visit;
    await go("/review");
    const criteria = ["relevance and completeness", "harmlessness"];
    const record = (id: string) => ({
      id,
      prompt: `What helps? ${hostile}`,
      answers: [
        { model: "model-one", text: `First ${hostile}` },
        { model: "model-two", text: `Second ${hostile}` },
      ],
    });
    await makeSet(page, "Hostile answers", [record("r1"), record("r2")], criteria);
    const link = await invite(page, "Dr Ada");

    const guest = await openPage(browser, url);
    const sheet = guest.page;
    await sheet.goto(link);
    await sheet.getByRole("heading", { name: "Answer A" }).waitFor();
    const seen = await sheet.locator("body").innerText();
    expect(seen).toContain("<script>"); // as text
    expect(seen).not.toMatch(/model-one|model-two/);
    expect(await sheet.title()).not.toContain("owned");
    expect(await sheet.locator(".prose img, .prose script").count()).toBe(0);
    expect(await sheet.locator("nav[aria-label=Studio]").count()).toBe(0);

    const comment = sheet.getByRole("region", { name: "answer A" }).getByLabel("comment on this answer");
    await comment.pressSequentially("half a thou");
    await sheet.getByText("saved").waitFor();
    await sheet.reload();
    await expect.poll(() => comment.inputValue()).toBe("half a thou");
    for (const [side, label] of [
      ["answer A", "5, very good"],
      ["answer B", "2, poor"],
    ] as const)
      for (const criterion of criteria) await score(sheet, side, criterion, label);
    await sheet.getByRole("region", { name: "answer B" }).getByLabel("harmful", { exact: true }).check();
    await sheet.getByRole("radio", { name: "A much better" }).check({ force: true });
    await sheet.getByRole("button", { name: "Hand in" }).click();
    await sheet.getByText("1 of 2 done").first().waitFor();
    expect(guest.problems).toEqual([]);
    await guest.context.close();

    await page.reload();
    await says("Which model is preferred");
    await says("harmful");
    const [pair] = lines(await saved(page, () => page.getByRole("button", { name: "Preference pairs" }).click()));
    expect(pair).toMatchObject({ votes_chosen: 1, votes_rejected: 0, margin: 2, set: "Hostile answers" });
    expect(String(pair!.chosen)).toMatch(/^(First|Second) /);
    await page.getByRole("button", { name: "Withdraw" }).click();
    await says("withdrawn");
    const refused = await openPage(browser, url);
    await refused.page.goto(link);
    await refused.page.getByText("not valid, or was withdrawn").waitFor();
    await refused.context.close();
    calm();
  });

  it("lets two clinicians judge single answers on all criteria by keys alone, and says how far they agree", async () => {
    const { page, browser, url, go, says, calm } = visit;
    await go("/review");
    const answers = [{ model: "only", text: "Rest and colchicine." }];
    await makeSet(page, "Single answers", [{ id: "one", prompt: "What helps in gout?", answers }], criterionNames);
    const links = [await invite(page, "Dr Ada"), await invite(page, "Dr Ben")];
    expect(new Set(links).size).toBe(2);
    for (const [i, link] of links.entries()) {
      const guest = await openPage(browser, url);
      const sheet = guest.page;
      await sheet.goto(link);
      await sheet.getByRole("region", { name: "answer", exact: true }).waitFor();
      expect(await sheet.getByText("all in all").count()).toBe(0); // nothing to prefer it to
      for (const criterion of criterionNames) {
        const group = sheet.getByRole("group", { name: new RegExp(`^${criterion}`) });
        await group.getByRole("radio").first().focus();
        // From the first on: a space takes it, arrows lead on.
        await sheet.keyboard.press("Space");
        for (let step = 0; step < 3 + i; step++) await sheet.keyboard.press("ArrowRight");
      }
      const handIn = sheet.getByRole("button", { name: "Hand in" });
      await expect.poll(() => handIn.isEnabled()).toBe(true);
      await handIn.focus();
      await sheet.keyboard.press("Enter");
      await sheet.getByText("All done: thank you").waitFor();
      expect(guest.problems).toEqual([]);
      await guest.context.close();
    }
    await page.reload();
    await says("Criteria, from 1 to 5");
    for (const criterion of criterionNames)
      expect(await page.getByRole("row", { name: new RegExp(`^${criterion}`) }).innerText()).toMatch(/4\.50/);
    await says(/α = |no variation/);
    const reviews = lines(await saved(page, () => page.getByRole("button", { name: "Reviews (JSONL)" }).click()));
    expect(reviews).toHaveLength(2);
    expect(reviews[0]).toMatchObject({ item: "one", shown: "single", preference: null });
    calm();
  });

  it("has the safety and bias prompts ready as a set, reviewed while their answers are still being written", async () => {
    const { page, go, says, calm } = visit;
    await go("/review");
    await page.getByRole("button", { name: "New review set" }).click();
    await page.getByLabel("longest answer, tokens").fill("4");
    await page.getByLabel("tiny/base", { exact: true }).check();
    await page.getByRole("button", { name: "Make the set" }).click();
    await page.waitForURL(/\/review\/\d+$/);
    await says("Safety and bias");
    const tasks = () => page.locator(".figure", { hasText: "tasks" }).locator("dd").innerText();
    await expect.poll(tasks, { timeout: 120_000 }).toMatch(/68/);
    calm();
  });

  it("loses nothing when the server is killed in the middle of a sentence", async () => {
    const { browser } = visit;
    const folder = newRunsFolder();
    const first = await startStudio(folder);
    const { page, context } = await openPage(browser, first.url);
    await page.goto(`${first.url}/review`);
    const answers = [{ model: "only", text: "Rest." }];
    await makeSet(page, "Killed", [{ id: "one", prompt: "What helps?", answers }], ["clarity"]);
    await page.goto(await invite(page, "Dr Ada"));
    const comment = page.getByLabel("comment on this answer");
    await comment.fill("saved before");
    await page.getByText("saved", { exact: true }).waitFor();
    await first.end("SIGKILL");
    await comment.fill("saved before, typed after");
    await page.getByText(/not sent yet; kept in this browser/).waitFor();
    const second = await startStudio(folder, Number(new URL(first.url).port));
    await page.getByText("saved", { exact: true }).waitFor();
    await page.evaluate(() => localStorage.clear()); // what comes back now comes from the server
    await page.reload();
    await expect.poll(() => comment.inputValue()).toBe("saved before, typed after");
    await second.end("SIGTERM");
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
