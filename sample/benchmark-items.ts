/**
 * Which options may stand beside a right one. Facts of different conditions often agree in part (two anti-inflammatory
 * drugs, two steroid courses), so inequality of text is not enough: options of one family never meet, and a condition's
 * `also` words veto whatever would be right, or arguable, for it.
 */
import type { Entity } from "./world.ts";

const families: readonly RegExp[] = [
  /\b(corticosteroid|glucocorticoid|steroid|predniso|methylpredniso|dexameth|hydrocortiso|budesonide|clobetasol|deflazacort)/i,
  /\b(nsaid|nonsteroidal|anti-inflammatory|ibuprofen|naproxen|diclofenac|indomethacin|aspirin|salicylate)/i,
  /\b(anticoag|heparin|warfarin|apixaban|rivaroxaban|argatroban)/i,
  /\b(thromboly|alteplase|anticoag)/i,
  /\b(antiplatelet|clopidogrel|aspirin)/i,
  /\b(beta-block|propranolol|nadolol|esmolol|labetalol)/i,
  /\b(verapamil|diltiazem|nifedipine|amlodipine|calcium channel)/i,
  /\b(ace inhibitor|ramipril|captopril|losartan|arb\b)/i,
  /\b(diuretic|thiazide|hydrochlorothiazide|furosemide|spironolactone)/i,
  /\b(benzodiazepine|diazepam|lorazepam|sedati)/i,
  /\b(opioid|morphine|codeine)/i,
  /\b(antipsychotic|haloperidol|risperidone|aripiprazole|metoclopramide)/i,
  /\b(anticholinergic|antihistamine|atropine|pupil-dilating)/i,
  /\b(estrogen|contraceptive|hormone replacement)/i,
  /\b(live vaccine)/i,
  /\b(alcohol|beer|drinking|spirits)/i,
  /\b(smoking|cigarette)/i,
  /\b(sun\b|sun exposure|ultraviolet)/i,
  /\b(biopsy)/i,
  /\b(electrocardiogram|qt measurement|qrs)/i,
  /\b(echocardiograph)/i,
  /\b(ct\b|computed tomography)/i,
  /\b(mri\b)/i,
  /\b(lumbar puncture|cerebrospinal)/i,
  /\b(urinalysis|urine)/i,
  /\b(clinical|criteria|inspection|diagnostic interview|symptoms)/i,
  /\b(culture)/i,
  /\b(slit-lamp|fundus|fundoscopy)/i,
  /\b(ultraso)/i,
  /\b(endoscop|colonoscop|gastroscop)/i,
  /\b(genetic|gene test|mutation test|genotyping)/i,
  /\b(chest radiograph|radiograph)/i,
  /\b(antibiotic|penicillin|amoxicillin|flucloxacillin|ceftriaxone|doxycycline|azithromycin|cefotaxime|ciprofloxacin)/i,
  /\b(aminoglycoside|gentamicin)/i,
  /\b(fluid|saline|hydration)/i,
  /\b(insulin|metformin)/i,
  /\b(proton pump|omeprazole|acid suppression)/i,
  /\b(immunoglobulin|plasma exchange)/i,
  /\b(methotrexate|rituximab|cyclophosphamide|azathioprine|etanercept|tnf|biologic)/i,
  /\b(surgical|surgery|excision|resection)/i,
  /\b(phlebotomy|iron)/i,
  /\b(delay|waiting|postpon)/i,
  /\b(autoimmune|antibod|immune)/i,
];

/** Composing a benchmark asks the same few thousand texts again and again, so both answers are remembered. */
const familiesByText = new Map<string, readonly number[]>();
const patternByWord = new Map<string, RegExp>();

function familiesOf(text: string): readonly number[] {
  let found = familiesByText.get(text);
  if (found === undefined) {
    found = families.flatMap((family, index) => (family.test(text) ? [index] : []));
    familiesByText.set(text, found);
  }
  return found;
}

function startsAWord(word: string, text: string): boolean {
  let pattern = patternByWord.get(word);
  if (pattern === undefined) {
    pattern = new RegExp(`\\b${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, "i");
    patternByWord.set(word, pattern);
  }
  return pattern.test(text);
}

/** Specialties that could as well claim the condition; cross-cutting ones are never offered as wrong. */
const crossCutting = new Set(["oncology", "pediatrics", "emergency medicine"]);
const overlapping: Record<string, readonly string[]> = {
  cardiology: [
    "pulmonology",
    "hematology",
    "nephrology",
    "infectious disease",
    "rheumatology",
    "neurology",
    "endocrinology",
  ],
  pulmonology: ["hematology", "infectious disease", "rheumatology", "otolaryngology", "gastroenterology", "neurology"],
  gastroenterology: ["hematology", "endocrinology", "infectious disease", "neurology", "rheumatology", "dermatology"],
  nephrology: ["urology", "endocrinology", "rheumatology", "hematology", "otolaryngology", "pulmonology"],
  endocrinology: [
    "obstetrics and gynecology",
    "neurology",
    "ophthalmology",
    "hematology",
    "orthopedics",
    "rheumatology",
    "urology",
  ],
  neurology: ["psychiatry", "ophthalmology", "otolaryngology", "infectious disease", "orthopedics", "rheumatology"],
  "infectious disease": [
    "dermatology",
    "obstetrics and gynecology",
    "urology",
    "hematology",
    "otolaryngology",
    "rheumatology",
    "psychiatry",
  ],
  hematology: ["rheumatology", "obstetrics and gynecology", "dermatology"],
  rheumatology: [
    "dermatology",
    "orthopedics",
    "ophthalmology",
    "otolaryngology",
    "obstetrics and gynecology",
    "psychiatry",
    "urology",
  ],
  dermatology: ["ophthalmology", "urology", "obstetrics and gynecology"],
  ophthalmology: ["otolaryngology"],
};

function overlap(a: string, b: string): boolean {
  return (overlapping[a] ?? []).includes(b) || (overlapping[b] ?? []).includes(a);
}

/** True when `option` is surely wrong as the `attribute` of `entity`. */
export function isWrongFor(entity: Entity, attribute: string, option: string): boolean {
  const right = attribute === "name" ? entity.name : entity.attributes[attribute]!;
  if (option.toLowerCase() === right.toLowerCase()) return false;
  if (attribute === "specialty") return !crossCutting.has(option) && !overlap(right, option);
  if (attribute === "avoid" && universalHazard.test(option)) return false;
  if (attribute === "name") return !startsAWord(right, option) && !startsAWord(option, right);
  const rightFamilies = new Set(familiesOf(right));
  for (const word of entity.also) for (const family of familiesOf(word)) rightFamilies.add(family);
  return (
    !entity.also.some((word) => startsAWord(word, option)) &&
    !familiesOf(option).some((family) => rightFamilies.has(family))
  );
}

/** Hazards that are bad for nearly anyone, so that they would be right beside almost any other hazard. */
const universalHazard =
  /\b(smoking|cigarette|alcohol|drinking|herbs|cocaine|cannabis|delay\w*|waiting|postpon\w*|without|omitting|restarting|rechallenge|unneeded|unmonitored|unprotected|unlubricated|sandblasting|single-drug|monotherapy|alone|large meals|salt|salty|long-term \w*steroid|long-term benzodiazepines|in pregnancy|during pregnancy|soap|high-dose corticosteroids|opioid\w*|sun exposure|ultraviolet)\b/i;

/**
 * What is fair to ask. Cross-cutting specialties are not: organ specialties could claim their conditions. Nor are universal
 * hazards: as wrong options they would be arguable, and as right ones only they would give themselves away.
 */
export function isAskable(entity: Entity, attribute: string): boolean {
  if (attribute === "specialty") return !crossCutting.has(entity.group);
  return attribute !== "avoid" || !universalHazard.test(entity.attributes.avoid!);
}
