import { formatCount, formatPercent } from "../../../core/index.ts";
import { type Html, html } from "../html.ts";

export interface Share {
  name: string;
  value: number;
}

/** Shares of a whole as one bar and its legend, largest first; beyond `limit` the rest is one part. Plain HTML: it wraps on a phone. */
export function shareBar(title: string, shares: Share[], unit: string, limit = 8): Html {
  const shown = largest(shares, limit);
  const total = shares.reduce((sum, { value }) => sum + value, 0) || 1;
  return html`<figure><figcaption>${title}</figcaption>
<div class="stack" role="img" aria-label="${title}">${shown.map(
    ({ name, value }, i) =>
      html`<span class="b${i % 8}" style="flex-grow:${value}" title="${name}: ${formatCount(value)} ${unit}"></span>`,
  )}</div>
<ul class="parts">${shown.map(
    ({ name, value }, i) =>
      html`<li><span class="swatch b${i % 8}"></span><span class="name">${name}</span><b>${formatPercent(value / total)}</b><span class="quiet">${formatCount(value)} ${unit}</span></li>`,
  )}</ul></figure>`;
}

/** Amounts as horizontal bars, largest first. */
export function amountBars(title: string, shares: Share[], format: (value: number) => string, limit = 16): Html {
  const shown = largest(shares, limit);
  const most = Math.max(...shown.map(({ value }) => value), 1e-9);
  return html`<figure class="bars"><figcaption>${title}</figcaption>
<table>${shown.map(
    ({ name, value }) => html`<tr><th scope="row">${name}</th>
<td class="bar"><div class="fill b0" style="width:${((100 * value) / most).toFixed(1)}%"></div></td>
<td class="number">${format(value)}</td></tr>`,
  )}</table></figure>`;
}

function largest(shares: Share[], limit: number): Share[] {
  const sorted = shares.toSorted((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
  const rest = sorted.slice(limit);
  if (rest.length === 0) return sorted;
  return [
    ...sorted.slice(0, limit),
    { name: `${rest.length} more`, value: rest.reduce((sum, { value }) => sum + value, 0) },
  ];
}
