/** What the run was to show: each claim as a picture of its effect against nothing and against its threshold. */
import { formatCount, formatPercent } from "../../../core/index.ts";
import type { ClaimResult } from "../../claims/index.ts";
import { formatEffect, formatEffectInterval } from "../../results.ts";
import { effectChart } from "../charts/index.ts";
import type { ReportData } from "../data.ts";
import { type Html, html } from "../html.ts";
import { solverName } from "./accuracy.ts";

const MEANING: Record<ClaimResult["kind"], string> = {
  accuracy: "Difference of accuracy on the same questions",
  perplexity: "Fall of the perplexity of held-out documents",
  retained: "Share of the forgetting that is avoided",
  curve: "Accuracy at the last checkpoint less that at the first",
};

export function claimsSection({ claims }: ReportData): Html | false {
  if (claims.length === 0) return false;
  const held = claims.filter(({ holds }) => holds).length;
  return html`<section id="claims"><h2>What the run was to show</h2>
<p class="lead"><b>${held} of ${claims.length}</b> claims hold. They were written into the recipe before the run. A claim holds when its effect reaches the threshold and its
95% interval (the bar: a paired bootstrap over questions and training seeds) leaves out zero, or the margin that it allows itself.</p>
<div class="claims">${claims.map(claimCard)}</div></section>`;
}

function claimCard(claim: ClaimResult): Html {
  const { statement, kind, effect, low, high, threshold, unit, n, seeds, seedDeviation, perSeed, values, note, holds } =
    claim;
  const verdict = effect === null ? "not measured" : holds ? "holds" : "does not hold";
  const value = (one: number) =>
    unit !== "perplexity" ? formatPercent(one) : one < 1000 ? one.toPrecision(4) : formatCount(Math.round(one));
  // A curve has many figures; its ends say it.
  const shown = values.length > 3 ? [values[0]!, values.at(-1)!] : values;
  return html`<article class="claim ${effect === null ? "open" : holds ? "met" : "missed"}">
<h3>${statement}</h3>
<p class="verdict"><span class="pill ${effect === null ? "" : holds ? "good" : "bad"}">${verdict}</span>${effect !== null && html`<b class="big">${formatEffect(effect, unit)}</b>`}</p>
${
  effect !== null &&
  effectChart({
    label: `${statement}: ${formatEffect(effect, unit)}`,
    effect,
    low,
    high,
    threshold,
    holds,
    dots: perSeed.flatMap((one) => (one.effect === null ? [] : [one.effect])),
  })
}
${
  effect !== null &&
  html`<p class="quiet small">${MEANING[kind]}${unit === "accuracy" ? ", in points" : ", in percent"}: ${formatEffectInterval({ low, high, unit })}; threshold ${formatEffect(threshold, unit)}; ${formatCount(n)} ${kind === "perplexity" ? "documents" : "questions"}${seedDeviation !== undefined && `; ${seeds.length} training seeds, sd ${(100 * seedDeviation).toFixed(1)}`}.</p>`
}
${shown.length > 0 && html`<p class="small">${shown.map(({ name, value: one }, i) => html`${i > 0 && " → "}${named(name)} <b>${value(one)}</b>`)}</p>`}
${note !== undefined && html`<p class="small quiet">${note}</p>`}
</article>`;
}

/** "finetuned, greedy-cloze": the solver as readers know it. */
function named(side: string): string {
  const comma = side.indexOf(", ");
  return comma < 0 || side.startsWith("step ") ? side : `${side.slice(0, comma)}, ${solverName(side.slice(comma + 2))}`;
}
