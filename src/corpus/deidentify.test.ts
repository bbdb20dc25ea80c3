import { expect, test } from "vitest";
import { deidentifyText, findIdentifiers } from "./deidentify.ts";

/**
 * Notes that we invented, with every identifier in double braces and its kind. The wording is that of letters and ward notes; the
 * people, places and numbers do not exist.
 */
const NOTES = [
  `Patient name: {{NAME:Halvard Brimlow}}. DOB: {{DATE:03/11/1951}}. MRN: {{ID:8842-117}}.
Mr {{NAME:Brimlow}} was seen on {{DATE:14 March 2019}} by Dr. {{NAME:Odessa Quill}} at {{LOCATION:Northfold General Hospital}}. BP 120/80, HR 72.
He takes metformin 500 mg twice a day and aspirin 81 mg. HbA1c 7.2% in 2018. Call {{PHONE:(555) 201-3344}} with results.`,
  `Dear Dr {{NAME:Tamsin Okoro}}, thank you for referring this {{AGE:93}}-year-old woman, who lives in {{LOCATION:Lower Wexcombe}} at {{ADDRESS:14 Larkspur Lane}}.
Her daughter {{NAME:Ingrid Vale}} can be reached at {{EMAIL:ingrid.vale@example.org}} or tel: {{PHONE:01632 960 118}}.
She fell on {{DATE:2 May}} and broke her hip. Pain 4/10. Hemoglobin 9.8 g/dL on {{DATE:2021-05-03}}. Given 2 units of blood.
Signed: {{NAME:Piotr Zelenka}}, MD`,
  `Admitted {{DATE:11/02/22}}, discharged {{DATE:11/09/22}}. Attending: {{NAME:Rosalind Thackeray}}. Accession no. {{ID:A4471923}}.
The patient, {{NAME:Maria Delgado-Finch}}, has had asthma since 1998. {{NAME:Delgado-Finch}} denies fever. FEV1/FVC 0.62. Stage II COPD was excluded.
Potassium 4.1, sodium 138. Potassium chloride 20 mEq. Follow up next {{DATE:Tuesday}} in the Respiratory Clinic.`,
  `NHS number {{ID:943 476 5919}}. Postcode {{ADDRESS:NF4 2QT}}. Next of kin: {{NAME:Samuel Oyelaran}} ({{PHONE:+44 7700 900 461}}).
Ms {{NAME:Oyelaran}} is a 45-year-old teacher. Parkinson disease was considered; Babinski negative; Wells score 4. Started on apixaban 5 mg twice daily from {{DATE:June 7, 2020}}.
See www. not given; notes at {{URL:https://records.example.org/p/8842}}.`,
  `Reviewed with Prof. {{NAME:Anselm Greaves}} on {{DATE:7th of August 2016}}. SSN {{ID:219-09-9999}}. Husband {{NAME:Kwame Asante}} present.
Crohn disease since 2009, Hodgkin lymphoma in remission. Temperature 38.5, GCS 15/15, power 5/5. Weight 71 kg. Plan: repeat MRI in 3 months, infliximab 5 mg/kg.
cc: {{NAME:Lindiwe Marsh}}, RN. Account number: {{ID:77120045}}. Pager {{PHONE:4471}}.`,
];

function unmark(note: string): { text: string; truth: { kind: string; start: number; end: number }[] } {
  let text = "";
  let from = 0;
  const truth: { kind: string; start: number; end: number }[] = [];
  for (const match of note.matchAll(/\{\{(\w+):([^}]*)\}\}/g)) {
    text += note.slice(from, match.index);
    truth.push({ kind: match[1]!, start: text.length, end: text.length + match[2]!.length });
    text += match[2];
    from = match.index + match[0].length;
  }
  return { text: text + note.slice(from), truth };
}

/** Characters of identifiers that are covered, and characters covered that are none. */
function measure(): { recall: number; precision: number; missed: string[]; extra: string[] } {
  let identifying = 0;
  let covered = 0;
  let found = 0;
  const missed: string[] = [];
  const extra: string[] = [];
  for (const note of NOTES) {
    const { text, truth } = unmark(note);
    const identifiers = findIdentifiers(text);
    const overlap = (a: { start: number; end: number }, b: { start: number; end: number }) =>
      Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));
    for (const span of truth) {
      const hit = identifiers.reduce((sum, other) => sum + overlap(span, other), 0);
      identifying += span.end - span.start;
      covered += hit;
      if (hit < span.end - span.start) missed.push(text.slice(span.start, span.end));
    }
    for (const span of identifiers) {
      found += span.end - span.start;
      if (truth.every((other) => overlap(span, other) === 0))
        extra.push(`${span.kind}:${text.slice(span.start, span.end)}`);
    }
  }
  return { recall: covered / identifying, precision: covered / found, missed, extra };
}

test("recall and precision on invented notes", () => {
  const { recall, precision, missed, extra } = measure();
  expect({ missed, extra }).toMatchInlineSnapshot(`
    {
      "extra": [],
      "missed": [],
    }
  `);
  expect(recall).toBeGreaterThan(0.97);
  expect(precision).toBeGreaterThan(0.95);
});

test("clinical facts stay", () => {
  for (const text of [
    "BP 120/80 mmHg, pain 4/10, GCS 15/15, Wells score 4",
    "Parkinson disease and Crohn disease; Babinski sign negative",
    "a 45-year-old man with type 2 diabetes since 1998",
    "10-20 mg (max 40), 0.5 mL/kg, 1,25-(OH)2-vitamin D, CD4 350/mm3",
    "randomised on days 1, 8 and 15; 95% CI 1.2-3.4; p<0.05",
  ])
    expect(deidentifyText(text).text).toBe(text);
});

test("identifiers become their kind", () =>
  expect(deidentifyText("Dr. Odessa Quill saw her on 14 March 2019; call 555-201-3344.").text).toBe(
    "Dr. [NAME] saw her on [DATE]; call [PHONE].",
  ));
