import { parseTable } from "../table.ts";

/** Who typically has it; a vignette's age and noun follow from it. */
export type Patient = "adult" | "elder" | "woman" | "man" | "youth" | "child" | "infant";

/** One condition and what a textbook says of it. Values are short noun phrases, so that a very small model can learn them. */
export interface Condition {
  name: string;
  specialty: string;
  patient: Patient;
  /** Hallmark finding; no two conditions share one. */
  finding: string;
  cause: string;
  /** Confirmatory test. */
  test: string;
  /** First-line treatment. */
  treatment: string;
  /** Drug or procedure to avoid. */
  avoid: string;
  risk: string;
  complication: string;
  /** Short name of a public source that states these facts. */
  source: string;
  /** Words; an option containing one would also be right (or arguable) for this condition and is never offered as wrong. */
  also: string[];
}

const COLUMNS = [
  "name",
  "patient",
  "finding",
  "cause",
  "test",
  "treatment",
  "avoid",
  "risk",
  "complication",
  "source",
  "also",
] as const;

/** Reads one specialty's table; the columns are those of {@link Condition}, `also` is divided by `/` (`-` for none). */
export function conditions(specialty: string, text: string): Condition[] {
  return parseTable(`facts/medicine/${specialty}`, COLUMNS, text).map((row) => ({
    ...row,
    specialty,
    patient: row.patient as Patient,
    also: row.also === "-" ? [] : row.also.split("/").map((word) => word.trim()),
  }));
}
