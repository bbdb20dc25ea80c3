/**
 * De-identification of clinical text that a user supplies: names, dates, ages over 89, record numbers, contacts, addresses and
 * web traces become tags such as `[NAME]`; years stay (HIPAA's Safe Harbor lets them). Patterns and small lists, no model: what
 * they find is explainable, what they miss is measured on invented notes (`deidentify.test.ts`) and stated in the guide.
 *
 * This lowers the risk; it does not make a note anonymous. Real patient records need your institution's own review.
 */

export type IdentifierKind = "NAME" | "DATE" | "AGE" | "ID" | "PHONE" | "EMAIL" | "URL" | "ADDRESS" | "LOCATION";

export interface Identifier {
  kind: IdentifierKind;
  start: number;
  end: number;
}

const MONTH =
  "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const WEEKDAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)day";
const NAME_WORD = "\\p{Lu}[\\p{L}'’-]+";
const TITLE = "(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sr|Sister|Nurse|Rev|Sir|Dame)\\.?";

/** Words with a capital that follow a role or title and are no names. */
const NOT_NAMES = new Set(
  (
    "dr mr mrs ms miss prof the a an is was has had of on in at to with for from and or not no admitted reports denies presents states complains seen " +
    "department clinic hospital ward team unit service surgery medicine cardiology oncology radiology emergency history name dob " +
    "mrn patient date time diagnosis allergies medications plan assessment impression none unknown he she they his her day week today " +
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december " +
    "chest abdomen pelvis brain spine bloods results requested reported plan review continue started given says said wants awaiting due " +
    "via about regarding yesterday today tomorrow well stable pharmacy lab labs ct mri xray ultrasound echo id icu itu theatre micro " +
    "type rheumatologist cardiologist consultant registrar specialist grade stage class group care home respiratory outpatient memory pain eye fracture diabetes heart chest skin urgent primary"
  ).split(" "),
);

/** Given names common enough to be a name on their own before a surname, and hardly ever anything else. */
const GIVEN_NAMES = new Set(
  (
    "james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony donald steven paul andrew " +
    "joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin " +
    "scott brandon benjamin samuel gregory frank alexander raymond patrick jack dennis jerry mary patricia jennifer linda elizabeth barbara " +
    "susan jessica sarah karen lisa nancy betty margaret sandra ashley kimberly emily donna michelle carol amanda dorothy melissa deborah " +
    "stephanie rebecca sharon laura cynthia kathleen amy angela shirley anna brenda pamela emma nicole helen samantha katherine christine " +
    "maria juan carlos jose luis ana sofia elena ivan olga anna piotr marta hans klaus jürgen ingrid pierre marie jean claude giulia marco " +
    "arthur albert alfred harold walter ernest stanley leonard norman raymond cyril edith ethel doris hilda mabel agnes winifred phyllis " +
    "gladys edna muriel beryl olive marjorie kathleen eileen maureen sheila geoffrey nigel graham trevor colin derek keith malcolm gareth " +
    "siobhan niamh aoife ciara eamon padraig seamus declan brendan rohan arjun vikram lakshmi deepak shreya kavita ravi sanjay meera pooja " +
    "zofia agnieszka katarzyna tomasz pawel svetlana natasha dmitri sergei mateus joao beatriz chloe jordan tyler kayleigh philippa gemma " +
    "ahmed mohammed fatima aisha omar yusuf ali hassan wei ming li mei chen yuki hiroshi priya raj anil sunita kwame amina chidi ngozi"
  ).split(" "),
);

/** Given names that are words or months as well, and need a surname to count. */
const ALSO_WORDS = new Set(
  "mark may frank jack jean li ming olive pat ray grace hope will rose ruby iris bill sue scott jordan".split(" "),
);

interface Rule {
  kind: IdentifierKind;
  pattern: RegExp;
  /** The group that is the identifier; the whole match when left out. */
  group?: number;
  accept?: (match: RegExpExecArray) => boolean;
}

/** What a person's name in a disease, test or device is followed by. */
const EPONYM =
  "(?!['’]?s?[ -]+(?:\\p{Lu}[\\p{L}-]+[ ]+)?(?:diseases?|syndromes?|signs?|tests?|scores?|criteria|classification|procedure|operation|fracture|splint|lymphoma|tumou?r|manoeuvre|maneuver|stain|reflex|catheter|scale|index|stage|grade|type|cells?|factor)\\b)";
const SMALL_ROLE =
  "(?:PN|SN|CN|HCA|MW|SHO|SpR|CNS|ANP|DN|HV|OT|PT|RMN|WR|[Ww]ard round|[Bb]ay \\d+|[Bb]ed \\d+|[Rr]oom \\d+|SR ?\\d+)";
const CONTACT =
  "(?:[Cc]all(?:ed)?|[Pp]hone(?:d)?|[Tt]el(?:ephone)?|[Mm]essage|[Ss]poke (?:to|with)|[Dd]\\/[Ww]|[Dd]iscussed with|[Cc]onsent(?:ed)? by|[Rr]eported(?: by)?|[Rr]equested(?: by)?|[Rr]ef(?:erred)? by|[Hh]anded over (?:to|from)|[Ii]nformed|[Ss]aw)";

const isName = (words: string | undefined) =>
  words?.split(/[\s,.]+/).every((word) => word === "" || !NOT_NAMES.has(word.toLowerCase())) === true;

const RULES: readonly Rule[] = [
  { kind: "EMAIL", pattern: /(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+/g },
  { kind: "URL", pattern: /\b(?:https?:\/\/|www\.)\S+|(?<!EC:? ?)\b\d{1,3}(?:\.\d{1,3}){3}\b/g },
  // Record numbers: named ones with at least three digits, and the shapes of national numbers.
  {
    kind: "ID",
    pattern:
      /\b(?:MRN|medical record(?: number| no\.?)?|record(?: number| no\.?)|NHS(?: number| no\.?)?|SSN|social security(?: number)?|hospital (?:number|no\.?)|patient id|account(?: number| no\.?)?|accession(?: number| no\.?)?|policy(?: number| no\.?)?|insurance(?: number| no\.?)?|licen[cs]e(?: number| no\.?)?|case(?: number| no\.?)|ID)[ \t]{0,5}[:#]?[ \t]{0,5}((?=[A-Z\d-]*\d{3})[A-Z\d][A-Z\d-]{2,19}|\d{3} \d{3} \d{4})/gi,
    group: 1,
  },
  { kind: "ID", pattern: /\b\d{3}-\d{2}-\d{4}\b/g },
  // Nine to twelve digits in groups: no dose, count or laboratory value is written so.
  { kind: "ID", pattern: /(?<![\d+.,/-] ?)\b(?:[A-Z]{2,4} )?\d{3,4} \d{3,4} \d{2,4}\b(?![ .,/-]?\d)/g },
  {
    kind: "ID",
    pattern: /\b(?:acct|passport|reference|ref|HCN|insurance|policy|licen[cs]e|certificate|case|file|chart)\.?(?:\s*(?:no\.?|number|#))?[ \t]{0,5}[:#]?[ \t]{0,5}((?:[A-Z]{1,3}[ /-]?)?\d{2,}(?:[ /-]?\d{2,})+)/gi,
    group: 1,
  },
  {
    kind: "PHONE",
    pattern: /\b0\d{2,4}[ -]\d{3,4}[ -]\d{3,4}\b|(?:\+\d{1,3}[\s.-]?)?(?:\(\d{2,5}\)[\s.-]?|\b\d{3,5}[\s.-])\d{3}[\s.-]?\d{3,4}\b(?!\s*(?:mg|ml|mcg|g|mmol|units?)\b)/g,
  },
  { kind: "PHONE", pattern: /\b(?:tel|phone|ph|fax|pager|mobile|cell|bleep|ext)\.?[ \t]{0,5}[:#]?[ \t]{0,5}((?:\+?\d[\d\s().-]{2,18}\d))/gi, group: 1, accept: ([all]) => !all.startsWith("pH") },
  { kind: "PHONE", pattern: /\b(?:call(?:back)?|ring|contact)\b[^.\d\n]{0,20}?(\d{3}-\d{4})\b/gi, group: 1 },
  // Dates with a day or a month; a year alone stays.
  { kind: "DATE", pattern: /\b\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?)?\b/g },
  {
    kind: "DATE",
    pattern: /\b(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})\b/g,
    accept: ([, a, , b]) => Number(a) >= 1 && Number(b) >= 1 && Math.max(Number(a), Number(b)) <= 31 && Math.min(Number(a), Number(b)) <= 12,
  },
  { kind: "DATE", pattern: new RegExp(`\\b(?:${WEEKDAY},?\\s+)?\\d{1,2}(?:st|nd|rd|th)?(?:\\s+of)?\\s+${MONTH}\\.?(?:,?\\s+\\d{4})?\\b`, "gi") },
  { kind: "DATE", pattern: new RegExp(`\\b${MONTH}\\.?\\s+\\d{1,2}(?:st|nd|rd|th)?(?:,?\\s+\\d{4})?\\b(?!\\s*(?:mg|%|ml))`, "gi") },
  { kind: "DATE", pattern: new RegExp(`\\b(?:in|since|until|on|from|to)\\s+(${MONTH}\\s+\\d{4})\\b`, "gi"), group: 1 },
  {
    kind: "DATE",
    pattern: new RegExp(`\\b(?:in|during|last|next|this|by|until|since)\\s+(${MONTH})\\b`, "gi"),
    group: 1,
    accept: ([, month]) => /^\p{Lu}/u.test(month!),
  },
  { kind: "DATE", pattern: new RegExp(`\\b(?:on|last|next|this)\\s+(${WEEKDAY})\\b`, "gi"), group: 1 },
  // A weekday before a day and month makes them a date; 2/7, 3/52 and 6/12 alone are days, weeks and months.
  { kind: "DATE", pattern: /\b(?:Mon|Tue|Tues|Wed|Thu|Thur|Thurs|Fri|Sat|Sun)(?:day)?,? \d{1,2}\/\d{1,2}\b/g },
  {
    kind: "DATE",
    pattern: /\b(?:on|seen|admitted|discharged|dated|dob|date of birth|born|recheck|review|follow[- ]up|appointment|visit|until|by)[ \t]{0,5}:?[ \t]{0,5}(?:on\s+)?(\d{1,2}\/\d{1,2})\b(?![/\d]|\s*(?:mmHg|VAS|pain|power|strength|GCS))/gi,
    group: 1,
  },
  { kind: "AGE", pattern: /\b((?:9\d|1[01]\d))(?=[\s-]*(?:years?|yrs?|y\/?o|yo)\b)/gi, group: 1 },
  { kind: "AGE", pattern: /\baged?[ \t]{0,5}:?[ \t]{0,5}(9\d|1[01]\d)\b/gi, group: 1 },
  {
    kind: "ADDRESS",
    pattern:
      /\b(?:(?:Flat|Apt|Apartment|Unit|Room)\.?\s+\w{1,4},?\s+)?\d{1,5}[A-Za-z]?,?\s+(?:\p{Lu}[\p{L}'-]+\s+){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Terrace|Close|Crescent|Square|Place|Mews|Gardens|Grove|Walk|Row|Hill|Parade|Quay|Circle|Highway|Rise|View|Park|Green|Bank|Brae|Vale|Wharf|Croft|Yard|Mount|Parkway|Plaza)\b\.?(?:,?\s*(?:Apt|Flat|Unit|Suite)\.?\s*\w+)?(?:,\s+\p{Lu}\p{Ll}{3,}(?:\s\p{Lu}\p{Ll}{3,})?)?/gu,
  },
  { kind: "ADDRESS", pattern: /\b[A-Z]{1,2}\d[A-Z\d]?\s+\d[A-Z]{2}\b/g },
  { kind: "ADDRESS", pattern: /\b(?:[A-Z]{2}|zip|ZIP code|postcode)[ \t]{0,5}:?[ \t]{0,5}(\d{5}(?:-\d{4})?)\b/g, group: 1 },
  { kind: "LOCATION", pattern: new RegExp(`\\b((?:${NAME_WORD}\\s+){1,3}(?:Hospital|Clinic|Infirmary|Medical Cent(?:er|re)|Health Cent(?:er|re)|Nursing Home|Hospice|Pharmacy|Surgery|Practice|School|Academy|Nursery|College|University|Church|Prison|Care Home|Day Cent(?:er|re)))\\b`, "gu"), group: 1, accept: ([, place]) => isName(place!.split(" ")[0]) },
  { kind: "LOCATION", pattern: new RegExp(`\\b(?:lives in|living in|resident of|resides in|from the (?:city|town|village) of|moved (?:here )?from|born in)\\s+(${NAME_WORD}(?:\\s+${NAME_WORD})?)`, "gu"), group: 1, accept: ([, place]) => isName(place) },
  {
    kind: "LOCATION",
    pattern: new RegExp(
      `\\b(?:(?:lives|living|resides)\\b[^.\\n]{0,40}?\\bin|(?:man|woman|lady|gentleman|boy|girl|\\p{Ll}{2,}(?:er|or|ist|ian))\\s+from)\\s+(${NAME_WORD}(?:\\s+${NAME_WORD})?)`,
      "gu",
    ),
    group: 1,
    accept: ([, place]) => isName(place),
  },
  // Names: after a title, after a role, before a degree, a known given name with a surname, "Surname, Given".
  { kind: "NAME", pattern: new RegExp(`\\b${TITLE}\\s+((?:\\p{Lu}\\.\\s*)*${NAME_WORD}(?:\\s+${NAME_WORD}){0,2})`, "gu"), group: 1, accept: ([, name]) => isName(name!.split(" ")[0]) },
  {
    kind: "NAME",
    pattern: new RegExp(
      `\\b(?:[Pp]atient(?:'s)? name|[Nn]ame|[Pp]atient|[Pp]hysician|[Dd]octor|[Cc]onsultant|[Ss]urgeon|[Ss]igned(?: by)?|[Dd]ictated by|[Aa]ttending|[Rr]eferred by|[Rr]eferring|[Nn]ext of kin|[Ww]ife|[Hh]usband|[Dd]aughter|[Ss]on|[Mm]other|[Ff]ather|[Ss]ister|[Bb]rother|[Pp]artner|[Cc]arer|[Gg]irlfriend|[Bb]oyfriend|[Ff]riend|[Nn]eighbour|[Gg]rand(?:son|daughter|mother|father)|[Nn]iece|[Nn]ephew|[Ff]iancée?|[Gg]uardian|[Ss]tep(?:son|daughter|mother|father)|[Aa]unt|[Uu]ncle|[Cc]ousin|[Pp]roband|[Ss]ecretary|[Aa]ssistant|[Dd]ear|[Rr]e|[Mm]um|[Dd]ad|[Nn]urse|[Mm]idwife|[Ss]een by|[Rr]eviewed|[Cc]all from|Pt|PATIENT|NAME|SURGEON|ASSISTANT|CONSULTANT|GP|cc)(?:\\s+(?:is|called|named))?[ \\t]{0,5}[:,]?[ \\t]{0,5}((?:\\p{Lu}\\.\\s*)*${NAME_WORD}(?:,?[ \\t]+(?:\\p{Lu}\\.|${NAME_WORD})){0,2})`,
      "gu",
    ),
    group: 1,
    accept: ([, name]) => isName(name!.split(/[\s,]/)[0]),
  },
  { kind: "NAME", pattern: new RegExp(`\\b(${NAME_WORD}(?:\\s+(?:\\p{Lu}\\.|${NAME_WORD})){1,2}),?\\s+(?:MD|DO|RN|MBBS|FRCP|FRCS|PhD|NP|PA-C|PharmD)\\b`, "gu"), group: 1 },
  {
    kind: "NAME",
    pattern: new RegExp(`\\b(\\p{Lu}\\p{Ll}+)(?:\\s+\\p{Lu}\\.)?\\s+${NAME_WORD}(?![\\p{L}-])${EPONYM}`, "gu"),
    accept: ([, given]) => GIVEN_NAMES.has(given!.toLowerCase()),
  },
  {
    kind: "NAME",
    pattern: new RegExp(`\\b${NAME_WORD},\\s+(\\p{Lu}\\p{Ll}+)\\b`, "gu"),
    accept: ([, given]) => GIVEN_NAMES.has(given!.toLowerCase()),
  },
  // A given name that is hardly ever anything else, alone; not in Thomas test or Charles Bonnet syndrome.
  {
    kind: "NAME",
    pattern: new RegExp(`(?<![\\p{L}-])(\\p{Lu}\\p{Ll}{2,})(?![\\p{L}-])${EPONYM}`, "gu"),
    group: 1,
    accept: ([, given]) => GIVEN_NAMES.has(given!.toLowerCase()) && !ALSO_WORDS.has(given!.toLowerCase()),
  },
  // Whose age or sex follows: "Vikram S., 58 yo", "a 5-year-old Jaxon".
  {
    kind: "NAME",
    pattern: new RegExp(`(?<![\\p{L}-])(\\p{Lu}\\p{Ll}{2,}(?: \\p{Lu}\\.| ${NAME_WORD})?)[.,]? \\(?(?:aged? )?\\d{1,3} ?(?:yo\\b|y\\/o\\b|yrs?\\b|years?\\b|[MF]\\b)`, "gu"),
    group: 1,
    accept: ([, name]) => isName(name),
  },
  { kind: "NAME", pattern: new RegExp(`\\b\\d{1,3}[ -]?(?:year|yr|month|week|day)s?[ -]old (${NAME_WORD})(?![\\p{L}-])(?! (?:\\p{Lu}\\p{Ll}+ )?(?:wo)?(?:m[ae]n|male|female|boy|girl|patient|child)\\b)`, "gu"), group: 1, accept: ([, name]) => isName(name) },
  // Before a role behind a comma, after a role's abbreviation, a place on the ward, or whom somebody spoke to.
  { kind: "NAME", pattern: new RegExp(`(?<![\\p{L}'’-])((?:\\p{Lu}\\.? )?${NAME_WORD}(?: ${NAME_WORD})?), (?:Consultant|Registrar|Specialist|ST\\d|FY\\d|CT\\d|SpR|SHO|Physiotherapist|Dietitian|Pharmacist|Midwife|Matron|GP)\\b`, "gu"), group: 1, accept: ([, name]) => isName(name) },
  { kind: "NAME", pattern: new RegExp(`\\b${SMALL_ROLE}[:,]? ((?:\\p{Lu}\\.? )?${NAME_WORD}(?: ${NAME_WORD})?)`, "gu"), group: 1, accept: ([, name]) => isName(name) && /\p{Ll}/u.test(name!) },
  { kind: "NAME", pattern: new RegExp(`\\b${CONTACT}(?: [\\d/:.-]+){0,2}(?: from| to| by)?:? ((?:\\p{Lu}\\.? )?${NAME_WORD}(?: ${NAME_WORD})?)`, "gu"), group: 1, accept: ([, name]) => isName(name) && /\p{Ll}/u.test(name!) },
  // SURNAME, Given before a date, a number or a parenthesis, as on labels; initial and surname as a signature that ends the note.
  { kind: "NAME", pattern: /\b(\p{Lu}{3,}(?:['’-]\p{Lu}+)?, \p{Lu}\p{Ll}+)(?=\s+(?:\d|\(|DOB|dob|[MF]\b))/gu, group: 1 },
  { kind: "NAME", pattern: new RegExp(`(?:^|[\\n–—-] ?|[.;] )(\\p{Lu}\\.? ${NAME_WORD})\\s*$`, "gu"), group: 1, accept: ([, name]) => isName(name!.slice(2).trim()) },
]; // biome-ignore format: a rule a line

/** All identifiers of a text, without overlaps, in order; where two overlap, the earlier and then the longer one counts. */
export function findIdentifiers(text: string): Identifier[] {
  const found: Identifier[] = [];
  for (const { kind, pattern, group, accept } of RULES) {
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      if (match[0] === "") pattern.lastIndex++;
      if (accept && !accept(match)) {
        pattern.lastIndex = match.index + 1;
        continue;
      }
      const part = group === undefined ? match[0] : match[group]!;
      const start = match.index + (group === undefined ? 0 : match[0].lastIndexOf(part));
      found.push({ kind, start, end: start + part.length });
    }
  }
  // A surname found once is a name wherever it stands again with its capital.
  const surnames = new Set<string>();
  for (const { kind, start, end } of found)
    if (kind === "NAME")
      for (const word of text.slice(start, end).split(/[\s,.]+/))
        if (word.length > 2 && !NOT_NAMES.has(word.toLowerCase())) surnames.add(word);
  if (surnames.size > 0)
    for (const match of text.matchAll(/\p{Lu}[\p{L}'’-]+/gu))
      if (surnames.has(match[0].replace(/['’]s$/, "")))
        found.push({ kind: "NAME", start: match.index, end: match.index + match[0].replace(/['’]s$/, "").length });
  // So is the town behind a street's name.
  const towns = new Set<string>();
  for (const { kind, start, end } of found) {
    const town = kind === "ADDRESS" ? /, (\p{Lu}\p{Ll}{3,})$/u.exec(text.slice(start, end))?.[1] : undefined;
    if (town !== undefined) towns.add(town);
  }
  if (towns.size > 0)
    for (const match of text.matchAll(/\p{Lu}\p{Ll}{3,}/gu))
      if (towns.has(match[0])) found.push({ kind: "LOCATION", start: match.index, end: match.index + match[0].length });
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  const kept: Identifier[] = [];
  for (const identifier of found) if (identifier.start >= (kept.at(-1)?.end ?? 0)) kept.push(identifier);
  return kept;
}

/** The text with each identifier replaced by its kind in brackets. */
export function deidentifyText(text: string): { text: string; identifiers: Identifier[] } {
  const identifiers = findIdentifiers(text);
  let out = "";
  let from = 0;
  for (const { kind, start, end } of identifiers) {
    out += `${text.slice(from, start)}[${kind}]`;
    from = end;
  }
  return { text: out + text.slice(from), identifiers };
}
