/**
 * The item browser: every question of one model on one benchmark, with what the model said. A page holds its items as JSON
 * and a small script that shows them; all text is set as text, never parsed as HTML. Thousands of items go to several pages.
 */
import { embedJson, type Html, html } from "./html.ts";
import { raw, renderPage } from "./page.ts";

/** What one solver made of an item. */
export interface AnswerView {
  solver: string;
  /** Extracted answer; undefined where none was found. */
  answer: string | undefined;
  correct: boolean;
  /** Generated texts, where the solver generates; one a sample. */
  outputs?: string[];
  /** Log-likelihood of each option in nats, where the solver compares them. */
  logLikelihoods?: Record<string, number>;
  /** Answer of each sample, where the solver votes. */
  votes?: (string | null)[];
}

export interface ItemView {
  id: string;
  /** As the model saw it. */
  prompt: string;
  question: string;
  options: { letter: string; text: string }[];
  gold: string;
  subject?: string;
  /** Why the gold answer is right. */
  explanation?: string;
  /** Other fields of the item, as "name: value". */
  facts?: string[];
  answers: AnswerView[];
}

const ITEMS_PER_PAGE = 2000;

/** Pages by file name ("index.html", "page-2.html" ...). */
export function renderItemPages(title: string, items: ItemView[]): Map<string, string> {
  const pages = new Map<string, string>();
  const count = Math.max(1, Math.ceil(items.length / ITEMS_PER_PAGE));
  const file = (page: number) => (page === 0 ? "index.html" : `page-${page + 1}.html`);
  for (let page = 0; page < count; page++) {
    const part = items.slice(page * ITEMS_PER_PAGE, (page + 1) * ITEMS_PER_PAGE);
    const others =
      count > 1 &&
      html`<p>Items ${page * ITEMS_PER_PAGE + 1} to ${page * ITEMS_PER_PAGE + part.length} of ${items.length}; pages: ${Array.from(
        { length: count },
        (_, i) => (i === page ? html`<b>${i + 1}</b> ` : html`<a href="${file(i)}">${i + 1}</a> `),
      )}</p>`;
    pages.set(file(page), renderPage(title, itemBody(title, part, others), ITEM_STYLE));
  }
  return pages;
}

function itemBody(title: string, items: ItemView[], pages: Html | false): Html {
  return html`<p><a href="../../../report.html">← report</a></p><h1>${title}</h1>
${pages}
<form class="screen" id="choose"><label>Show <select id="which"><option value="all">all items</option><option value="right">answered right by every solver</option><option value="wrong">answered wrong by a solver</option><option value="differ">where solvers disagree</option><option value="none">without a readable answer</option></select></label>
<label>containing <input id="words" type="search" autocomplete="off"></label> <span id="found" class="quiet" aria-live="polite"></span></form>
<noscript><p>This page shows its items with a script inside it. The same items are lines of JSON in items.jsonl.</p></noscript>
<div id="items"></div><p><button type="button" id="more" hidden>show more</button></p>
${embedJson("data", items)}
<script>${raw(SCRIPT)}</script>`;
}

const ITEM_STYLE = `
.item { background:var(--card); border:1px solid var(--rule); border-radius:10px; padding:.9rem 1.1rem; margin:1rem 0 }
.item .question { font-size:1.04rem; margin:.3rem 0 .6rem }
.item ol { list-style:none; padding:0; margin:.4rem 0 } .item li { padding:.22rem .5rem; border-radius:6px; border:1px solid transparent } .item li.gold { font-weight:600; border-color:var(--good); background:var(--goal) }
.answer { border-top:1px solid var(--rule); padding:.5rem 0 .2rem; margin-top:.5rem }
.right { color:var(--good) } .wrong { color:var(--bad) }
.meter { display:grid; grid-template-columns:auto minmax(3rem, 16rem) auto; gap:.1rem .6rem; align-items:center; font-size:.86rem; margin:.3rem 0; width:fit-content; max-width:100% }
.meter div { height:.65rem; border-radius:3px; background:var(--c7); min-width:2px } .meter div.gold { background:var(--good) }
.chip { display:inline-block; font-size:.78rem; color:var(--quiet); border:1px solid var(--rule); border-radius:1rem; padding:.02rem .55rem; margin:0 .3rem .2rem 0 }
.item pre { max-height:20rem; margin:.3rem 0 } .item summary { font-size:.89rem; color:var(--quiet) }
form { position:sticky; top:0; background:var(--paper); padding:.6rem 0; border-bottom:1px solid var(--rule); display:flex; flex-wrap:wrap; gap:.5rem 1rem; align-items:center; z-index:1 }
input, select, button { font:inherit; padding:.3rem .5rem; color:inherit; background:var(--paper); border:1px solid var(--rule); border-radius:6px; max-width:100% }
`;

const SCRIPT = `
"use strict";
const items = JSON.parse(document.getElementById("data").textContent);
const list = document.getElementById("items"), more = document.getElementById("more"), found = document.getElementById("found");
const which = document.getElementById("which"), words = document.getElementById("words");
let chosen = [], shown = 0;
function add(parent, tag, text, className) {
  const node = parent.appendChild(document.createElement(tag));
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}
function folded(parent, summary, text, open) {
  const box = add(parent, "details");
  box.open = Boolean(open);
  add(box, "summary", summary);
  add(box, "pre", text, "text");
}
function meter(parent, rows, gold) {
  const box = add(parent, "div", undefined, "meter");
  const most = Math.max(...rows.map((row) => row.share));
  for (const row of rows) {
    add(box, "span", row.name);
    add(box, "div", undefined, row.name === gold ? "gold" : "").style.width = (100 * row.share / (most || 1)).toFixed(1) + "%";
    add(box, "span", row.text, "quiet");
  }
}
function showAnswer(box, item, answer) {
  const part = add(box, "div", undefined, "answer");
  const line = add(part, "div");
  add(line, "span", answer.correct ? "✓ " : "✗ ", answer.correct ? "right" : "wrong");
  add(line, "b", answer.answer === undefined ? "no answer found" : answer.answer, answer.correct ? "right" : "wrong");
  add(line, "span", "  " + answer.solver, "quiet small");
  if (answer.logLikelihoods) {
    const entries = Object.entries(answer.logLikelihoods);
    const most = Math.max(...entries.map((entry) => entry[1]));
    const total = entries.reduce((sum, entry) => sum + Math.exp(entry[1] - most), 0);
    meter(part, entries.map(([name, value]) => ({ name, share: Math.exp(value - most) / total, text: (100 * Math.exp(value - most) / total).toFixed(1) + "% · " + value.toFixed(2) + " nats" })), item.gold);
  }
  if (answer.votes) {
    const counts = new Map();
    for (const vote of answer.votes) counts.set(vote === null ? "none" : vote, (counts.get(vote === null ? "none" : vote) || 0) + 1);
    meter(part, [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => ({ name, share: count, text: count + (count === 1 ? " vote" : " votes") })), item.gold);
  }
  const outputs = answer.outputs || [];
  outputs.forEach((output, i) => {
    const vote = answer.votes && answer.votes[i] !== undefined ? " → " + (answer.votes[i] === null ? "no answer" : answer.votes[i]) : "";
    folded(part, outputs.length > 1 ? "sample " + (i + 1) + vote : "what it wrote", output, outputs.length === 1 && output.length < 600);
  });
}
function show(item) {
  const box = add(list, "article", undefined, "item");
  const head = add(box, "div", undefined, "small quiet");
  head.id = item.id;
  add(head, "span", item.id + (item.subject ? " · " + item.subject : "") + "  ");
  for (const fact of item.facts || []) add(head, "span", fact, "chip");
  add(box, "div", item.question, "text question");
  const options = add(box, "ol");
  for (const option of item.options)
    add(options, "li", option.letter + ". " + option.text + (option.letter === item.gold ? "  ✓" : ""), option.letter === item.gold ? "gold" : "");
  if (item.options.length === 0) add(box, "p", "right answer: " + item.gold, "gold");
  for (const answer of item.answers) showAnswer(box, item, answer);
  if (item.explanation) folded(box, "why the answer is right", item.explanation);
  folded(box, "the prompt, as the model saw it", item.prompt);
}
function next() {
  for (const item of chosen.slice(shown, shown + 25)) show(item);
  shown = Math.min(shown + 25, chosen.length);
  more.hidden = shown >= chosen.length;
  found.textContent = chosen.length + " of " + items.length + " items";
}
const keep = {
  all: () => true,
  right: (item) => item.answers.every((answer) => answer.correct),
  wrong: (item) => item.answers.some((answer) => !answer.correct),
  differ: (item) => new Set(item.answers.map((answer) => answer.answer)).size > 1,
  none: (item) => item.answers.some((answer) => answer.answer === undefined),
};
function choose() {
  const text = words.value.toLowerCase();
  chosen = items.filter((item) => keep[which.value](item) && (text === "" || JSON.stringify(item).toLowerCase().includes(text)));
  list.replaceChildren();
  shown = 0;
  next();
}
document.getElementById("choose").addEventListener("submit", (event) => event.preventDefault());
which.addEventListener("change", choose);
words.addEventListener("input", choose);
more.addEventListener("click", next);
choose();
if (location.hash) { words.value = decodeURIComponent(location.hash.slice(1)); choose(); }
`;
