/** Every page in light, dark and phone width; by keyboard alone; and when there is nothing, or the server is gone. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeStudio, looks, newRunsFolder, openPage, startStudio } from "./studio-process.ts";

/** Set to a folder, every page is photographed there in every look. */
const SHOTS = process.env.STUDIO_SHOTS;

const pages = [
  "/runs",
  "/runs/tiny",
  "/diff?first=tiny&second=live",
  "/corpus?run=tiny",
  "/corpus?run=tiny&view=documents&n=1",
  "/corpus?run=tiny&view=drops",
  "/training?run=tiny",
  "/evaluation?run=tiny",
  "/evaluation?run=tiny&view=subjects",
  "/evaluation?run=tiny&view=items&n=0",
  "/evaluation?run=tiny&view=changes",
  "/chat",
  "/review",
];

describeStudio("looks", (visit) => {
  for (const [look, options] of Object.entries(looks))
    it(`fits the screen in ${look}, can be read there, and names everything that can be used`, async () => {
      const { browser, url } = visit;
      const { page, context, problems } = await openPage(browser, url, options);
      for (const [i, path] of pages.entries()) {
        await page.goto(`${url}${path}`);
        await page.locator("h1").first().waitFor();
        await expect.poll(() => page.locator("main .skeleton").count()).toBe(0);
        const [wide, seen] = await page.evaluate(() => [
          document.documentElement.scrollWidth,
          document.documentElement.clientWidth,
        ]);
        expect(wide, `${path} is wider than the screen`).toBeLessThanOrEqual(seen!);
        expect(await page.evaluate(nameless), `${path}: without a name`).toEqual([]);
        expect(await page.evaluate(faint), `${path}: contrast below WCAG AA`).toEqual([]);
        if (SHOTS) {
          mkdirSync(SHOTS, { recursive: true });
          const name = `${i}-${path}-${look}`.replace(/\W+/g, "-");
          await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
        }
      }
      expect(problems).toEqual([]);
      await context.close();
    });

  it("is used by keyboard alone: past the navigation, through tabs and filters, into an item", async () => {
    const { page, go, calm } = visit;
    await go("/runs");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    await page.getByRole("link", { name: "Evaluation" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/evaluation/);
    await go("/evaluation?run=tiny");
    const tab = async (until: () => Promise<boolean>) => {
      for (let i = 0; i < 60; i++) {
        if (await until()) return;
        await page.keyboard.press("Tab");
      }
      throw new Error("Tab does not lead there");
    };
    const focused = (text: string) => async () =>
      (await page.evaluate(() => document.activeElement?.textContent ?? "")) === text;
    await tab(focused("Items"));
    await page.keyboard.press("Enter");
    await page.waitForURL(/view=items/);
    await page.getByRole("listbox", { name: "items" }).getByRole("option").first().waitFor();
    await tab(focused("wrong"));
    await page.keyboard.press("Enter");
    await page.waitForURL(/filter=wrong/);
    await tab(async () => (await page.evaluate(() => document.activeElement?.getAttribute("role"))) === "listbox");
    await page.getByRole("listbox", { name: "items" }).getByRole("option").first().waitFor();
    await page.keyboard.press("Enter");
    await page
      .getByRole("region", { name: "item", exact: true })
      .getByText("correct answer", { exact: true })
      .waitFor();
    calm();
  });

  it("shows markup in documents and answers as text, everywhere", async () => {
    const { page, go, says, calm, runs, hostile } = visit;
    // A run whose every text tries: its folder is written as a run leaves it.
    const folder = join(runs, "hostile", "eval", "m", "b", "greedy");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(runs, "hostile", "recipe.yaml"), `name: hostile\ndescription: ${JSON.stringify(hostile)}\n`);
    writeFileSync(
      join(runs, "hostile", "events.jsonl"),
      `${JSON.stringify({ event: "run-start", time: hostile, run: "hostile", recipe: "", version: "", stages: [hostile] })}\n`,
    );
    const record = {
      key: "k",
      id: hostile,
      seed: 1,
      rotation: 0,
      subject: hostile,
      prompt: hostile,
      gold: "A",
      predictions: { strict: hostile },
      correct: { strict: false },
      outputs: [hostile],
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

  it("says what is wrong when there is nothing, or the server is gone", async () => {
    const { page, browser, url, go, says } = visit;
    await page.goto(`${url}/runs/nothing`);
    await says("Not found");
    await go("/evaluation?run=tiny&view=items&filter=contaminated");
    await says("No items found");
    const empty = newRunsFolder();
    const other = await startStudio(empty);
    const lone = await openPage(browser, other.url);
    for (const [path, words] of [
      ["/runs", "No runs yet"],
      ["/corpus", "No runs yet"],
      ["/training", "No runs yet"],
      ["/evaluation", "No runs yet"],
      ["/chat", "No model to talk to"],
      ["/review", "No review set yet"],
    ] as const) {
      await lone.page.goto(`${other.url}${path}`);
      await says(words, lone.page);
    }
    await other.end("SIGTERM");
    await lone.page.getByRole("link", { name: "Runs", exact: true }).click();
    await says("No connection", lone.page);
    await lone.context.close();
    rmSync(empty, { recursive: true, force: true });
  });
});

/** In the page: what can be used or is a picture, and has no name for those who do not see it. */
function nameless(): string[] {
  return [
    ...document.querySelectorAll<HTMLElement>("button, a[href], input, select, textarea, [role=listbox], [role=img]"),
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
    .map((element) => element.outerHTML.slice(0, 120));
}

/** In the page: words whose contrast to what lies behind them is below 4.5 (3 where they are large), by WCAG 2's formula. */
function faint(): string[] {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
  const rgba = (color: string): [number, number, number, number] => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r!, g!, b!, a! / 255];
  };
  const over = (top: number[], below: number[]) =>
    [0, 1, 2].map((i) => top[i]! * top[3]! + below[i]! * (1 - top[3]!)) as [number, number, number];
  const luminance = (color: number[]) => {
    const [r, g, b] = color.map((value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const behind = (element: Element | null): [number, number, number] => {
    if (!element) return [255, 255, 255];
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? [own[0], own[1], own[2]] : over(own, behind(element.parentElement));
  };
  const found = new Set<string>();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement!;
    const words = node.textContent!.trim();
    if (words === "" || element.closest("script, style, noscript, option, .sr-only, .skip, :disabled")) continue;
    const style = getComputedStyle(element);
    if (style.visibility === "hidden" || element.getClientRects().length === 0) continue;
    const ground = behind(element);
    const ink = over(rgba(style.color), ground);
    const [light, dark] = [luminance(ink), luminance(ground)].sort((a, b) => b - a);
    const ratio = (light! + 0.05) / (dark! + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) found.add(`${ratio.toFixed(2)}: ${words.slice(0, 40)}`);
  }
  return [...found];
}
