/** Time, arithmetic, energy and money: what was measured is called so, and so is what was estimated. */
import { formatCount, formatDuration } from "../../../core/index.ts";
import { footprintOf, formatEnergy } from "../../footprint.ts";
import { amountBars } from "../charts/index.ts";
import type { ReportData } from "../data.ts";
import { type Html, html } from "../html.ts";
import { tokensSeen } from "./training.ts";

export function costSection({ stages, seconds, provenance, recipe, trainings }: ReportData): Html {
  const footprint = footprintOf(seconds, provenance.host, recipe.footprint);
  const byPart = new Map<string, number>();
  for (const stage of stages) {
    const part = PARTS[stage.id.split(".")[0]!] ?? "other";
    byPart.set(part, (byPart.get(part) ?? 0) + stage.seconds);
  }
  // Forward and backward pass: 6 operations a parameter and token.
  const flop = trainings.reduce((sum, { events }) => {
    const start = events.find((event) => event.event === "train-start");
    return sum + 6 * (start?.parameters ?? 0) * tokensSeen(events);
  }, 0);
  const measured = html`<span class="pill">measured</span>`;
  const estimated = html`<span class="pill warn">estimated</span>`;
  const rows: [string, Html, string, string][] = [
    [
      "time",
      measured,
      formatDuration(seconds),
      `on ${provenance.host.cores} cores, ${provenance.host.cpu}; stages that were skipped count as they took when they ran`,
    ],
    [
      "energy",
      estimated,
      formatEnergy(footprint.kilowattHours),
      `time × ${footprint.watts.toFixed(0)} W: ${footprint.basis}`,
    ],
  ];
  if (flop > 0)
    rows.push(["arithmetic of training", estimated, `${formatFlop(flop)}`, "6 operations a parameter and token"]);
  if (footprint.carbonKg !== undefined)
    rows.push([
      "emissions",
      estimated,
      `${footprint.carbonKg.toPrecision(2)} kg CO₂`,
      `energy × ${recipe.footprint.carbonKgPerKwh} kg a kWh, as the recipe states`,
    ]);
  if (footprint.price)
    rows.push([
      "cost",
      estimated,
      `${footprint.price.amount.toFixed(2)} ${footprint.price.currency}`,
      `time × ${recipe.footprint.pricePerHour} an hour, as the recipe states`,
    ]);
  return html`<section id="cost"><h2>Cost and energy</h2>
<div class="wide"><table><tbody>${rows.map(([what, kind, value, how]) => html`<tr><th scope="row">${what}</th><td>${kind}</td><td class="number"><b>${value}</b></td><td class="quiet">${how}</td></tr>`)}</tbody></table></div>
${amountBars(
  "Where the time went",
  [...byPart].map(([name, value]) => ({ name, value })),
  formatDuration,
)}</section>`;
}

const PARTS: Record<string, string> = {
  prepare: "making sources",
  corpus: "building corpora",
  tokenizer: "tokenizer and tokens",
  tokens: "tokenizer and tokens",
  train: "training",
  eval: "evaluation",
  curve: "accuracy along the training",
  perplexity: "held-out text, document by document",
  report: "this report",
};

const formatFlop = (flop: number): string => {
  const exponent = Math.floor(Math.log10(flop));
  return `${(flop / 10 ** exponent).toFixed(1)} × 10${[...String(exponent)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("")} FLOP${exponent >= 15 ? ` (${formatCount(flop / 1e15)} PFLOP)` : ""}`;
};
