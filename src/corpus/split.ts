/** Training and validation: where a document falls depends on its id only, so adding documents moves none. */
import { hashFraction } from "../core/hash.ts";
import type { Document, DocumentKind } from "./document.ts";

export type Split = "train" | "validation";

/** MEDITRON's fractions: 5% of guidelines, 3% of papers and abstracts, no replay (SPEC 1b.5). */
export const VALIDATION_FRACTION: Readonly<Record<DocumentKind, number>> = {
  guideline: 0.05,
  paper: 0.03,
  abstract: 0.03,
  replay: 0,
  other: 0.03,
};

/** @param fraction - One for all kinds, or one a kind; kinds not named keep MEDITRON's. */
export function splitOf(
  document: Pick<Document, "id" | "kind">,
  fraction: number | Partial<Record<DocumentKind, number | undefined>>,
  seed: number,
): Split {
  const share =
    typeof fraction === "number" ? fraction : (fraction[document.kind] ?? VALIDATION_FRACTION[document.kind]);
  return share > 0 && hashFraction(`${seed}:${document.id}`) < share ? "validation" : "train";
}
