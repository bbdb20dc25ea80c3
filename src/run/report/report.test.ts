import { expect, test } from "vitest";
import { thin, ticks } from "./charts/index.ts";
import { embedJson, escapeHtml, html } from "./html.ts";
import { renderItemPages } from "./items.ts";

const ATTACK = `</script><script>alert("x")</script><img src=x onerror='alert(1)'>`;

test("whatever is interpolated is escaped, templates inside templates are not escaped twice", () => {
  expect(html`<p title="${ATTACK}">${[html`<b>${"a & b"}</b>`, 1, false, undefined]}</p>`.text).toBe(
    `<p title="&lt;/script&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;"><b>a &amp; b</b>1</p>`,
  );
  expect(escapeHtml("a\u0000b\u0008c\td")).toBe("a\ufffdb\ufffdc\td");
});

test("embedded JSON cannot leave its script element, and reads back the same", () => {
  const value = { text: `${ATTACK}<!-- \u2028` };
  const { text } = embedJson("data", value);
  expect(text.match(/</g)).toHaveLength(2); // the opening and the closing tag, nothing between
  expect(JSON.parse(text.slice(text.indexOf(">") + 1, text.lastIndexOf("<")))).toEqual(value);
});

test("an item page carries hostile text only as data", () => {
  const pages = renderItemPages(ATTACK, [
    { id: ATTACK, prompt: ATTACK, question: ATTACK, options: [{ letter: "A", text: ATTACK }], gold: "A", answers: [] },
  ]);
  const page = pages.get("index.html")!;
  expect(page).not.toContain("<img");
  expect(page.match(/<script/g)).toHaveLength(2); // the data and our own script
  expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
});

test("4,001 items make three pages that know each other", () => {
  const item = { id: "i", prompt: "", question: "", options: [], gold: "", answers: [] };
  const pages = renderItemPages("many", Array(4001).fill(item));
  expect([...pages.keys()]).toEqual(["index.html", "page-2.html", "page-3.html"]);
  expect(pages.get("page-3.html")).toContain("Items 4001 to 4001 of 4001");
});

test("ticks are round numbers inside the range", () => {
  expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(2.13, 8.4, 5)).toEqual([4, 6, 8]);
  expect(ticks(3, 3, 5)).toEqual([3]);
});

test("thinning keeps the extremes of every stretch", () => {
  const points = Array.from({ length: 10_000 }, (_, i): [number, number] => [i, i === 7777 ? 99 : Math.sin(i)]);
  const thinned = thin(points, 600);
  expect(thinned.length).toBeLessThanOrEqual(600);
  expect(Math.max(...thinned.map(([, y]) => y))).toBe(99);
});
