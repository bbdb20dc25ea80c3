/** A corpus in the browser: what it is made of, every document beside its source, and what was left out. */
import { expect, it } from "vitest";
import { describeStudio } from "./studio-process.ts";

describeStudio("corpus", (visit) => {
  it("shows what a corpus is made of, finds words in it, and sets a text beside its source", async () => {
    const { page, go, says, calm } = visit;
    await go("/corpus?run=tiny&corpus=medical");
    for (const card of ["By source", "By license", "By language", "By year of publication", "Stage by stage"])
      await says(card);
    await page.getByRole("button", { name: "guidelines", exact: true }).click();
    const list = page.getByRole("listbox", { name: "documents" });
    await list.getByRole("option").first().waitFor();
    expect(page.url()).toContain("source=guidelines");
    await page.getByLabel("source", { exact: true }).selectOption("");
    const search = page.getByRole("searchbox");
    await expect.poll(() => search.isEnabled(), { timeout: 60_000 }).toBe(true);
    await search.fill("pernicious");
    await list.locator("mark").first().waitFor();
    expect((await list.locator("mark").first().innerText()).toLowerCase()).toBe("pernicious");
    await list.getByRole("option").first().click();
    const pane = page.getByRole("region", { name: "document" });
    await pane.getByText("SHA-256").waitFor();
    await pane.getByRole("button", { name: "beside its source" }).click();
    await pane.getByRole("heading", { name: "cleaned" }).waitFor();
    calm();
  });

  it("walks through the documents by keys, and keeps the one that was chosen", async () => {
    const { page, go, calm } = visit;
    await go("/corpus?run=tiny&corpus=medical&view=documents");
    const list = page.getByRole("listbox", { name: "documents" });
    const title = page.getByRole("region", { name: "document" }).locator("h2").first();
    await list.getByRole("option").first().click();
    await title.waitFor();
    const first = await title.innerText();
    await list.focus();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => title.innerText()).not.toBe(first);
    const words = await title.innerText();
    await page.reload();
    await expect.poll(() => title.innerText()).toBe(words);
    calm();
  });

  it("marks what cleaning removed, and shows each rule with its samples", async () => {
    const { page, go, says, calm } = visit;
    await go("/corpus?run=tiny&corpus=medical&view=cleaning");
    await says("characters in");
    await page.getByRole("table").first().getByRole("button").first().click(); // the document of a sample
    const pane = page.getByRole("region", { name: "document" });
    await pane.getByRole("button", { name: "changes marked" }).click();
    await pane.locator("del").first().waitFor();
    calm();
  });

  it("shows what was dropped, by which rule and why", async () => {
    const { page, go, calm } = visit;
    await go("/corpus?run=tiny&corpus=medical&view=drops");
    const list = page.getByRole("listbox", { name: "dropped records" });
    await list.getByRole("option").first().waitFor();
    await page.getByRole("button", { name: "pubmed.retracted" }).click();
    await expect
      .poll(async () =>
        (await list.getByRole("option").allInnerTexts()).every((row) => row.includes("pubmed.retracted")),
      )
      .toBe(true);
    await list.getByRole("option").first().click();
    await page.getByRole("region", { name: "dropped record" }).getByText("threshold").waitFor();
    calm();
  });
});
