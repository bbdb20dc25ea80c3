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
  /** Generated text, where the solver generates. */
  output?: string;
  /** Log-likelihood of each option in nats, where the solver compares them. */
  logLikelihoods?: Record<string, number>;
  /** Answers of several samples, where the solver votes. */
  votes?: string[];
}

export interface ItemView {
  id: string;
  /** As the model saw it. */
  prompt: string;
  question: string;
  options: { letter: string; text: string }[];
  gold: string;
  subject?: string;
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
<form class="screen" id="choose"><label>Show <select id="which"><option value="all">all items</option><option value="wrong">answered wrong by a solver</option><option value="differ">where solvers disagree</option><option value="none">without a readable answer</option></select></label>
<label>containing <input id="words" type="search" autocomplete="off"></label> <span id="found" class="quiet" aria-live="polite"></span></form>
<noscript><p>This page shows its items with a script inside it. The same items are lines of JSON in items.jsonl.</p></noscript>
<div id="items"></div><p><button type="button" id="more" hidden>show more</button></p>
${embedJson("data", items)}
<script>${raw(SCRIPT)}</script>`;
}

const ITEM_STYLE = `
.item { background:var(--card); border:1px solid var(--rule); border-radius:8px; padding:.7rem .9rem; margin:.9rem 0 }
.item ol { list-style:none; padding:0; margin:.4rem 0 } .item li { padding:.1rem .4rem } .gold { font-weight:600 }
.right { color:var(--good) } .wrong { color:var(--bad) }
form label { margin-right:1rem } input, select, button { font:inherit; padding:.25rem .4rem; color:inherit; background:var(--paper); border:1px solid var(--rule); border-radius:5px; max-width:100% }
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
function show(item) {
  const box = add(list, "article", undefined, "item");
  const head = add(box, "p", item.id + (item.subject ? " · " + item.subject : ""), "quiet");
  head.id = item.id;
  add(box, "div", item.question, "text");
  const options = add(box, "ol");
  for (const option of item.options)
    add(options, "li", option.letter + ". " + option.text + (option.letter === item.gold ? "  ← right answer" : ""), option.letter === item.gold ? "gold" : "");
  if (item.options.length === 0) add(box, "p", "right answer: " + item.gold, "gold");
  for (const answer of item.answers) {
    const line = add(box, "p");
    add(line, "b", answer.solver + ": ");
    add(line, "span", answer.answer === undefined ? "no answer found" : answer.answer, answer.correct ? "right" : "wrong");
    add(line, "span", answer.correct ? " ✓" : " ✗", answer.correct ? "right" : "wrong");
    if (answer.logLikelihoods)
      add(line, "span", "  (" + Object.entries(answer.logLikelihoods).map(([letter, value]) => letter + " " + value.toFixed(3)).join("   ") + " nats)", "quiet");
    if (answer.votes) add(line, "span", "  votes: " + answer.votes.join(" "), "quiet");
    if (answer.output !== undefined) { const d = add(box, "details"); add(d, "summary", "what it wrote"); add(d, "pre", answer.output, "text"); }
  }
  const prompt = add(box, "details");
  add(prompt, "summary", "the prompt, as the model saw it");
  add(prompt, "pre", item.prompt, "text");
}
function next() {
  for (const item of chosen.slice(shown, shown + 25)) show(item);
  shown = Math.min(shown + 25, chosen.length);
  more.hidden = shown >= chosen.length;
  found.textContent = chosen.length + " of " + items.length + " items";
}
const keep = {
  all: () => true,
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
