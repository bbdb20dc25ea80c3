/** Lists of very many rows: only those in sight exist, and wheel, scroll bar and keys reach all of them. */
import type { Locator } from "playwright-core";
import { expect, it } from "vitest";
import { describeStudio } from "./studio-process.ts";

describeStudio("long lists", (visit) => {
  /** Numbers (from 1) of the rows in sight that have been loaded. */
  const inSight = (list: Locator) =>
    list.evaluate((box) => {
      const { top, bottom } = box.getBoundingClientRect();
      return [...box.querySelectorAll<HTMLElement>("[role=option]")]
        .filter((row) => {
          const at = row.getBoundingClientRect();
          return at.bottom > top + 1 && at.top < bottom - 1 && !row.querySelector(".skeleton");
        })
        .map((row) => Number(row.getAttribute("aria-posinset")))
        .sort((a, b) => a - b);
    });
  const lastInSight = async (list: Locator) => (await inSight(list)).at(-1) ?? 0;
  const firstInSight = async (list: Locator) => (await inSight(list))[0] ?? 0;

  for (const [what, path, name] of [
    ["items", "/evaluation?run=large&view=items", "items"],
    ["documents", "/corpus?run=large&corpus=all&view=documents", "documents"],
  ] as const)
    it(`scrolls through all ${what} by wheel, scroll bar and keys`, async () => {
      const { page, go, calm } = visit;
      const total = visit[what];
      await go(path);
      const list = page.getByRole("listbox", { name });
      await expect.poll(() => firstInSight(list), { timeout: 120_000 }).toBe(1);
      await page.getByText(`${total.toLocaleString("en-US")} ${what}`).waitFor();
      expect(await list.getByRole("option").count()).toBeLessThan(60);
      // The wheel moves by pixels, from row to row.
      await list.hover();
      await page.mouse.wheel(0, 300);
      await expect.poll(() => firstInSight(list)).toBeGreaterThan(1);
      expect(await firstInSight(list)).toBeLessThan(12);
      // The scroll bar reaches the middle, and there the wheel is as fine as before.
      await list.evaluate((box) => {
        box.scrollTop = (box.scrollHeight - box.clientHeight) / 2;
      });
      await expect.poll(() => firstInSight(list)).toBeGreaterThan(total * 0.48);
      const middle = await firstInSight(list);
      expect(middle).toBeLessThan(total * 0.52);
      await page.mouse.wheel(0, 300);
      await expect.poll(() => firstInSight(list)).toBeGreaterThan(middle);
      expect(await firstInSight(list)).toBeLessThan(middle + 12);
      // Keys: both ends, and a page on.
      await list.focus();
      await page.keyboard.press("End");
      await expect.poll(() => lastInSight(list)).toBe(total);
      await page.keyboard.press("ArrowUp");
      await expect
        .poll(() => list.locator("[aria-selected=true]").getAttribute("aria-posinset"))
        .toBe(String(total - 1));
      await page.keyboard.press("Home");
      await expect.poll(() => firstInSight(list)).toBe(1);
      await page.keyboard.press("PageDown");
      await expect
        .poll(async () => Number(await list.locator("[aria-selected=true]").getAttribute("aria-posinset")))
        .toBeGreaterThan(4);
      expect(await list.getByRole("option").count()).toBeLessThan(60);
      calm();
    });
});
