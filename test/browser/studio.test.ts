/**
 * Every page of the Studio in Chromium, on a run that has finished and on one that goes on: as a user would click through them,
 * with a reload in the middle, and with documents and answers that try to be more than text.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  killAll,
  launch,
  newRunsFolder,
  openPage,
  ROOT,
  reasonToSkip,
  startCli,
  startStudio,
} from "./studio-process.ts";

const TINY = join(ROOT, "test", "e2e", "tiny.yaml");
const HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
/** Set to a folder, every page is photographed there in light, dark and phone width. */
const SHOTS = process.env.STUDIO_SHOTS;

describe.skipIf(reasonToSkip)(`the Studio in the browser${reasonToSkip ? ` (skipped: ${reasonToSkip})` : ""}`, () => {
  let runs: string;
  let browser: Browser;
  let url: string;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    runs = newRunsFolder();
    const samples = "train.base.samples={ prompts: [The patient], maxTokens: 8 }";
    const finished = startCli("run", TINY, "--runs", runs, "--set", samples);
    if ((await finished.finished) !== 0) throw new Error(finished.output());
    // Long enough to go on through the tests; ended with them.
    startCli(
      "run",
      TINY,
      "--runs",
      runs,
      "--name",
      "live",
      "--set",
      "train.base.steps=100000",
      "--set",
      "train.base.checkpointEverySteps=50000",
    );
    ({ url } = await startStudio(runs));
    browser = await launch();
    ({ page, problems } = await openPage(browser, url));
  });

  afterAll(async () => {
    await browser?.close();
    killAll();
    if (runs) rmSync(runs, { recursive: true, force: true });
  });

  const go = async (path: string) => {
    await page.goto(`${url}${path}`);
    await page.locator("h1").first().waitFor();
  };
  const text = (on: Page = page) => on.locator("main").innerText();
  /** Waits until the page says this. */
  const says = (what: string | RegExp, on: Page = page) => on.locator("main").getByText(what).first().waitFor();
  const calm = () => expect(problems).toEqual([]);

  it("lists the runs, finished and going on, and compares their recipes", async () => {
    await go("/");
    await says("tiny");
    await says("live");
    expect(await page.locator(".run-list .badge").allInnerTexts()).toEqual(
      expect.arrayContaining(["finished", "running"]),
    );
    await page.getByLabel("choose tiny for comparison").check();
    await page.getByLabel("choose live for comparison").check();
    await page.getByRole("button", { name: /Compare recipes/ }).click();
    await says("train.base.steps");
    expect(await page.getByRole("row", { name: /train\.base\.steps/ }).innerText()).toMatch(/30/);
    calm();
  });

  it("shows a finished run: every stage with counts and time, its recipe, where it was made", async () => {
    await go("/runs/tiny");
    const stages = page.getByRole("list", { name: "stages of the run" }).getByRole("button");
    await stages.first().waitFor();
    const shown = await stages.allInnerTexts();
    const { stages: all } = (await (await fetch(`${url}/api/runs/tiny`)).json()) as { stages: unknown[] };
    expect(shown).toHaveLength(all.length);
    expect(shown.every((one) => one.includes("finished"))).toBe(true);
    await stages.filter({ hasText: "medical" }).first().click();
    await says("reads from");
    expect(await page.locator(".stage-detail").innerText()).toMatch(/records/);
    await page.reload();
    await page.locator(".stage-detail").waitFor(); // the chosen stage stands in the address
    expect(await text()).toContain("hidden_size");
    calm();
  });

  it("follows a run that goes on without being asked, also after a reload in the middle", async () => {
    await go("/runs/live");
    const progress = page.locator(".stage.running");
    await page
      .getByText(/step [\d,.K]+ of/)
      .first()
      .waitFor({ timeout: 300_000 }); // the stages before it come first
    const read = async () => (await progress.first().innerText()).match(/step ([\d,.K]+) of/)?.[1];
    const before = await read();
    await expect.poll(read, { timeout: 60_000 }).not.toBe(before);
    await page.reload();
    await page
      .getByText(/step [\d,.K]+ of/)
      .first()
      .waitFor();
    const after = await read();
    await expect.poll(read, { timeout: 60_000 }).not.toBe(after);
    await says("live");
    calm();
  });

  it("draws the training curves, live, and lays another run over them", async () => {
    await go("/training?run=tiny");
    await page.getByRole("img", { name: /training loss/ }).waitFor();
    expect(await page.getByRole("row", { name: /base/ }).innerText()).toMatch(/30 \/ 30/);
    // What the model wrote at each of its checkpoints (steps 10, 20, 30).
    expect(await page.locator("blockquote").count()).toBe(3);
    await page.getByRole("button", { name: "log", exact: true }).click();
    await page.getByRole("button", { name: "data position" }).click();
    await page.getByRole("checkbox", { name: "finetuned" }).uncheck();
    await expect.poll(() => page.getByRole("row", { name: /finetuned/ }).count()).toBe(0);
    expect(page.url()).toContain("show=");
    await page.getByLabel("lay another run over this one").selectOption("live");
    await page.getByRole("row", { name: /live\/base/ }).waitFor();
    await page.getByLabel("peak, TFLOP/s").fill("1");
    await says("Model FLOPs utilization (MFU)");
    await says(/checkpoint/);

    await go("/training?run=live");
    const step = async () =>
      (await page.getByRole("row", { name: /base/ }).innerText()).match(/([\d,]+) \/ 100,000/)?.[1];
    await expect.poll(step, { timeout: 60_000 }).toBeTruthy();
    const before = await step();
    await expect.poll(step, { timeout: 60_000 }).not.toBe(before);
    calm();
  });

  it("shows what a corpus is made of, finds words in it, and sets a text beside its source", async () => {
    await go("/corpus?run=tiny&corpus=medical");
    await says("By license");
    await page.getByRole("button", { name: "guidelines" }).click();
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
    // Keys walk through the list.
    await list.focus();
    const title = () => pane.locator("h2").first().innerText();
    const [before, first] = [page.url(), await title()];
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.url()).not.toBe(before);
    await expect.poll(title).not.toBe(first);
    const words = await title();
    await page.reload();
    await page.getByRole("region", { name: "document" }).locator("h2").first().waitFor();
    expect(await page.getByRole("region", { name: "document" }).locator("h2").first().innerText()).toBe(words);
    calm();
  });

  it("shows what was dropped, by which rule and why", async () => {
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
    await go("/corpus?run=tiny&corpus=medical&view=cleaning");
    await says("characters in");
    calm();
  });

  it("ranks the models, says what is more than chance, and opens every item", async () => {
    await go("/evaluation?run=tiny");
    await says("medical");
    await page.getByRole("button", { name: /^greedy/ }).click();
    await says(/within noise|better/);
    await says("p, corrected");
    await page.getByRole("link", { name: "items", exact: true }).first().click();
    const list = page.getByRole("listbox", { name: "items" });
    await list.getByRole("option").first().waitFor();
    await page.getByRole("button", { name: "wrong", exact: true }).click();
    await page.waitForURL(/filter=wrong/);
    await list.getByRole("option").first().click();
    const item = page.getByRole("region", { name: "item", exact: true });
    await item.getByText("correct answer", { exact: true }).waitFor();
    await item.getByText("The prompt as the model saw it").click();
    await page.getByRole("link", { name: "Subjects" }).click();
    await says("Accuracy by subject");
    await page.getByRole("link", { name: "Changed items" }).click();
    const changes = page.getByRole("listbox", { name: "changed items" });
    await page.getByRole("button", { name: /^both wrong/ }).click();
    await changes.getByRole("option").first().click();
    await page
      .getByRole("region", { name: "both answers" })
      .getByText("correct answer", { exact: true })
      .nth(1)
      .waitFor();
    calm();
  });

  it("talks to a model as it writes, to two side by side, and counts votes", async () => {
    await go("/chat?model=tiny/finetuned");
    await page.getByLabel("longest answer, tokens").fill("24");
    await page.getByLabel("your question").fill("What confirms gout?");
    await page.keyboard.press("Enter");
    await page
      .getByText(/\d\.\d s/)
      .first()
      .waitFor({ timeout: 60_000 });
    await page.getByLabel("beside it").selectOption("tiny/base");
    await page.getByLabel("samples (self-consistency)").fill("3");
    await page.getByLabel("your question").fill("Which one?\nA. aspirin\nB. heparin");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Votes of 3 samples").nth(1).waitFor({ timeout: 60_000 });
    await expect.poll(() => page.getByText(/\d\.\d s/).count(), { timeout: 60_000 }).toBe(3);
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Share as JSON" }).click(),
    ]);
    const shared = JSON.parse(readFileSync(await saved.path(), "utf8")) as {
      turns: { answers: Record<string, { texts: string[] }> }[];
    };
    expect(Object.keys(shared.turns[1]!.answers)).toEqual(["tiny/finetuned", "tiny/base"]);
    expect(shared.turns[1]!.answers["tiny/base"]!.texts).toHaveLength(3);
    await page.reload();
    await says("What confirms gout?");
    await says("Not medical advice");
    calm();
  });

  it("stops an answer when asked to", async () => {
    await go("/chat?model=tiny/base");
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByLabel("longest answer, tokens").fill("2048");
    await page.getByLabel("samples (self-consistency)").fill("16");
    await page.getByLabel("your question").fill("Tell me everything.");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Stop" }).click();
    await says("stopped");
    calm();
  });

  it("takes a blind review from invite to preference pairs, saved as it is typed", async () => {
    await go("/review");
    await page.getByRole("button", { name: "New review set" }).click();
    await page.getByRole("button", { name: "own records" }).click();
    await page.getByLabel("name", { exact: true }).fill("Hostile answers");
    const record = (id: string) =>
      JSON.stringify({
        id,
        prompt: `What helps? ${HOSTILE}`,
        answers: [
          { model: "model-one", text: `First ${HOSTILE}` },
          { model: "model-two", text: `Second ${HOSTILE}` },
        ],
      });
    await page.getByLabel(/records, one JSON object a line/).fill([record("r1"), record("r2")].join("\n"));
    for (const criterion of [
      "comprehension",
      "reasoning",
      "fairness",
      "contextual awareness",
      "communication",
      "clarity",
      "guideline alignment",
    ])
      await page.getByLabel(criterion, { exact: true }).uncheck();
    await page.getByRole("button", { name: "Make the set" }).click();
    await page.waitForURL(/\/review\/\d+$/);
    await page.getByPlaceholder("name of a clinician").fill("Dr Ada");
    await page.getByRole("button", { name: "Invite" }).click();
    const link = await page.locator(".invite-link").innerText();
    expect(link).toMatch(/\/invite#[\w-]{20,}$/);

    const guest = await openPage(browser, url, { viewport: { width: 1280, height: 900 } });
    const sheet = guest.page;
    await sheet.goto(link);
    await sheet.getByRole("heading", { name: "Answer A" }).waitFor();
    const seen = await sheet.locator("body").innerText();
    expect(seen).toContain("<script>"); // as text
    expect(seen).not.toMatch(/model-one|model-two/);
    expect(await sheet.title()).not.toContain("owned");
    expect(await sheet.locator(".prose img, .prose script").count()).toBe(0);
    expect(await sheet.locator("nav[aria-label=Studio]").count()).toBe(0);

    const side = (name: string) => sheet.getByRole("region", { name });
    const score = (name: string, criterion: string, label: string) =>
      side(name)
        .getByRole("group", { name: new RegExp(`^${criterion}`) })
        .getByRole("radio", { name: label })
        .check({ force: true });
    await side("answer A").getByLabel("comment on this answer").pressSequentially("half a thou");
    await sheet.getByText("saved").waitFor();
    await sheet.reload();
    await expect.poll(() => side("answer A").getByLabel("comment on this answer").inputValue()).toBe("half a thou");
    for (const [name, label] of [
      ["answer A", "5, very good"],
      ["answer B", "2, poor"],
    ] as const)
      for (const criterion of ["relevance and completeness", "harmlessness"]) await score(name, criterion, label);
    await side("answer B").getByLabel("harmful", { exact: true }).check();
    await sheet.getByRole("radio", { name: "A much better" }).check({ force: true });
    await sheet.getByRole("button", { name: "Hand in" }).click();
    await sheet.getByText("1 of 2 done").first().waitFor();
    expect(guest.problems).toEqual([]);
    await guest.context.close();

    await page.reload();
    await says("Which model is preferred");
    await says("harmful");
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Preference pairs" }).click(),
    ]);
    const [pair] = readFileSync(await saved.path(), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
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

  it("shows markup in documents and answers as text, everywhere", async () => {
    // A run whose every text tries: its folder is written as a run leaves it.
    const folder = join(runs, "hostile", "eval", "m", "b", "greedy");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(runs, "hostile", "recipe.yaml"), `name: hostile\ndescription: ${JSON.stringify(HOSTILE)}\n`);
    writeFileSync(
      join(runs, "hostile", "events.jsonl"),
      `${JSON.stringify({ event: "run-start", time: HOSTILE, run: "hostile", recipe: "", version: "", stages: [HOSTILE] })}\n`,
    );
    const record = {
      key: "k",
      id: HOSTILE,
      seed: 1,
      rotation: 0,
      subject: HOSTILE,
      prompt: HOSTILE,
      gold: "A",
      predictions: { strict: HOSTILE },
      correct: { strict: false },
      outputs: [HOSTILE],
      generatedTokens: 1,
      milliseconds: 1,
    };
    writeFileSync(join(folder, "items.jsonl"), `${JSON.stringify(record)}\n`);
    for (const path of ["/runs", "/runs/hostile", "/evaluation?run=hostile&view=items&n=0"]) {
      await go(path);
      await says(/onerror/);
      expect(await page.title()).not.toContain("owned");
      expect(await page.locator("main img, main script").count()).toBe(0);
    }
    rmSync(join(runs, "hostile"), { recursive: true });
    calm();
  });

  const pages = [
    "/runs",
    "/runs/tiny",
    "/corpus?run=tiny",
    "/corpus?run=tiny&view=documents&n=1",
    "/training?run=tiny",
    "/evaluation?run=tiny",
    "/evaluation?run=tiny&view=items&n=0",
    "/chat",
    "/review",
    "/review/1",
  ];

  it("fits a phone, in light and in dark, and names everything that can be used", async () => {
    for (const [look, options] of [
      ["light", {}],
      ["dark", { colorScheme: "dark" as const }],
      ["phone", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
    ] as const) {
      const { page: one, context, problems: found } = await openPage(browser, url, options);
      for (const [i, path] of pages.entries()) {
        await one.goto(`${url}${path}`);
        await one.locator("h1").first().waitFor();
        await one
          .locator("main .skeleton")
          .first()
          .waitFor({ state: "detached" })
          .catch(() => {});
        const [wide, seen] = await one.evaluate(() => [
          document.documentElement.scrollWidth,
          document.documentElement.clientWidth,
        ]);
        expect(wide, `${path} at ${look} is wider than the screen`).toBeLessThanOrEqual(seen!);
        const nameless = await one.evaluate(() =>
          [
            ...document.querySelectorAll<HTMLElement>(
              "button, a[href], input, select, textarea, [role=listbox], [role=img]",
            ),
          ]
            .filter((element) => {
              if (element.getAttribute("aria-label") || element.textContent?.trim() || element.getAttribute("title"))
                return false;
              return !(
                "labels" in element &&
                [...((element as HTMLInputElement).labels ?? [])].some(
                  (label) => label.textContent?.trim() || label.getAttribute("aria-label"),
                )
              );
            })
            .map((element) => element.outerHTML.slice(0, 120)),
        );
        expect(nameless, `${path}: without a name`).toEqual([]);
        if (SHOTS) {
          if (!existsSync(SHOTS)) mkdirSync(SHOTS, { recursive: true });
          await one.screenshot({
            path: join(SHOTS, `${i}-${path.replace(/\W+/g, "-").replace(/^-|-$/g, "")}-${look}.png`),
          });
        }
      }
      expect(found).toEqual([]);
      await context.close();
    }
  });

  it("says what is wrong when there is nothing, or the server is gone", async () => {
    await go("/runs/tiny");
    await page.goto(`${url}/runs/nothing`);
    await says("Not found");
    await page.goto(`${url}/elsewhere`).catch(() => {});
    const empty = newRunsFolder();
    const other = await startStudio(empty);
    const lone = await openPage(browser, other.url);
    for (const path of ["/runs", "/corpus", "/training", "/evaluation"]) {
      await lone.page.goto(`${other.url}${path}`);
      await says("No runs yet", lone.page);
    }
    await lone.page.goto(`${other.url}/chat`);
    await says("No model to talk to", lone.page);
    await lone.page.goto(`${other.url}/review`);
    await says("No review set yet", lone.page);
    other.child.kill("SIGTERM");
    await new Promise((done) => other.child.on("close", done));
    await lone.page.getByRole("link", { name: "Runs", exact: true }).click();
    await says("No connection", lone.page);
    await lone.context.close();
    rmSync(empty, { recursive: true, force: true });
  });
});
