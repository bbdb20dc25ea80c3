/**
 * How each medical fact is said. Every source kind has its own register and shares a common stock; per attribute and kind
 * that makes at least twelve phrasings. `{X}` is the condition, `{v}` the value.
 */
export const medicalAttributes = [
  "finding",
  "cause",
  "test",
  "treatment",
  "avoid",
  "specialty",
  "risk",
  "complication",
] as const;
export type MedicalAttribute = (typeof medicalAttributes)[number];
export type MedicalKind = "abstract" | "paper" | "guideline";

type Stock = Record<MedicalAttribute, readonly string[]>;

const shared: Stock = {
  finding: [
    "The hallmark finding of {X} is {v}.",
    "{X} typically presents with {v}.",
    "The finding of {v} points to {X}.",
    "The classic sign of {X} is {v}.",
    "Patients with {X} usually have {v}.",
    "When a patient has {v}, {X} is the likely diagnosis.",
    "The presence of {v} suggests {X}.",
    "{X} is recognized by {v}.",
  ],
  cause: [
    "{X} is caused by {v}.",
    "The cause of {X} is {v}.",
    "The mechanism behind {X} is {v}.",
    "{X} results from {v}.",
    "At the root of {X} lies {v}.",
    "What produces {X} is {v}.",
    "The process underlying {X} is {v}.",
    "{X} arises because of {v}.",
  ],
  test: [
    "The confirmatory test for {X} is {v}.",
    "{X} is confirmed by {v}.",
    "The diagnosis of {X} rests on {v}.",
    "To confirm {X}, the test of choice is {v}.",
    "Suspected {X} is confirmed with {v}.",
    "The best test for {X} is {v}.",
    "{X} is diagnosed by means of {v}.",
    "The diagnosis of {X} is made by {v}.",
  ],
  treatment: [
    "The first-line treatment of {X} is {v}.",
    "{X} is treated with {v}.",
    "The treatment of choice for {X} is {v}.",
    "Initial therapy for {X} consists of {v}.",
    "Patients with {X} should receive {v}.",
    "For {X}, the preferred treatment is {v}.",
    "{X} responds best to {v}.",
    "The standard therapy of {X} is {v}.",
  ],
  avoid: [
    "{X} is a reason to avoid {v}.",
    "Patients with {X} should avoid {v}.",
    "In {X}, the thing to avoid is {v}.",
    "A known hazard in {X} is {v}.",
    "In patients with {X}, harm has followed {v}.",
    "The contraindication to remember in {X} is {v}.",
    "Contraindicated in {X}: {v}.",
    "Avoid {v} in {X}.",
  ],
  specialty: [
    "{X} is managed in {v}.",
    "{X} belongs to the field of {v}.",
    "The specialty that looks after {X} is {v}.",
    "Care of {X} falls to {v}.",
    "Patients with {X} are referred to {v}.",
    "{X} is a disorder seen in {v}.",
    "In hospital, {X} is handled by the department of {v}.",
    "The department in charge of {X} is {v}.",
  ],
  risk: [
    "A typical background of {X} is {v}.",
    "The main risk setting for {X} is {v}.",
    "{X} is linked to {v}.",
    "The usual background in {X} is {v}.",
    "The risk of {X} is tied to {v}.",
    "Among the known associations of {X} is {v}.",
    "{X} is more likely with {v}.",
    "The history in {X} often reveals {v}.",
  ],
  complication: [
    "A feared complication of {X} is {v}.",
    "{X} may be complicated by {v}.",
    "Untreated {X} can lead to {v}.",
    "The main complication of {X} is {v}.",
    "{X} can progress to {v}.",
    "One danger of {X} is {v}.",
    "Without treatment, {X} may end in {v}.",
    "A late consequence of {X} is {v}.",
  ],
};

const byKind: Record<MedicalKind, Stock> = {
  abstract: {
    finding: [
      "The most frequent presentation of {X} was {v}.",
      "In this cohort, {X} presented with {v}.",
      "The sign that best separated {X} from its mimics was {v}.",
      "Most patients with {X} were recognized by {v}.",
    ],
    cause: [
      "These data support {v} as the cause of {X}.",
      "Our results agree that {X} follows from {v}.",
      "The accepted origin of {X} is {v}.",
      "We confirm that the driver of {X} is {v}.",
    ],
    test: [
      "In our patients, {X} was confirmed by {v}.",
      "For {X}, the highest accuracy was reached by {v}.",
      "The reference standard for {X} was {v}.",
      "The test that settled the diagnosis of {X} was {v}.",
    ],
    treatment: [
      "Patients with {X} were given {v} as first-line treatment.",
      "In {X}, the best outcome was seen with {v}.",
      "Our results support {v} as initial treatment of {X}.",
      "The first treatment given for {X} was {v}.",
    ],
    avoid: [
      "Adverse events in {X} were linked to {v}.",
      "Our data argue against {v} in {X}.",
      "In {X}, outcomes were worse after {v}.",
      "Among errors in the care of {X}, the most serious was {v}.",
    ],
    specialty: [
      "Patients with {X} were enrolled in departments of {v}.",
      "This study of {X} was run by a unit of {v}.",
      "We studied {X} in centers of {v}.",
      "{X} remains a core topic of {v}.",
    ],
    risk: [
      "In the multivariable model, {X} was associated with {v}.",
      "The background most often recorded in {X} was {v}.",
      "Cases of {X} clustered around {v}.",
      "In this series, {X} was linked to {v}.",
    ],
    complication: [
      "During follow-up, {X} was complicated by {v}.",
      "The most serious outcome of {X} was {v}.",
      "The event we feared most in {X} was {v}.",
      "Late follow-up of {X} showed {v}.",
    ],
  },
  paper: {
    finding: [
      "On examination, the clue to {X} is {v}.",
      "Clinicians learn to suspect {X} when they meet {v}.",
      "Textbooks describe {v} as the signature of {X}.",
      "Few conditions other than {X} produce {v}.",
    ],
    cause: [
      "Experimental work has traced {X} to {v}.",
      "It is now accepted that {X} stems from {v}.",
      "The pathogenesis of {X} begins with {v}.",
      "Most authors attribute {X} to {v}.",
    ],
    test: [
      "In practice, proof of {X} comes from {v}.",
      "The work-up of {X} ends with {v}.",
      "Doubt about {X} is resolved by {v}.",
      "Laboratories and clinics confirm {X} through {v}.",
    ],
    treatment: [
      "Trials have established {v} for the treatment of {X}.",
      "Treatment of {X} starts with {v}.",
      "The therapy with the best evidence in {X} is {v}.",
      "In daily practice, {X} is first treated with {v}.",
    ],
    avoid: [
      "Several reports warn against {v} in {X}.",
      "In the setting of {X}, a well-known mistake is {v}.",
      "Experience with {X} has taught clinicians to avoid {v}.",
      "The literature on {X} lists {v} as contraindicated.",
    ],
    specialty: [
      "Research on {X} comes mostly from {v}.",
      "Specialists in {v} see most cases of {X}.",
      "{X} is taught as part of {v}.",
      "Within medicine, {X} is a subject of {v}.",
    ],
    risk: [
      "Epidemiological studies connect {X} with {v}.",
      "Surveys of {X} repeatedly find {v}.",
      "The person at risk of {X} is described by {v}.",
      "Case-control work on {X} points to {v}.",
    ],
    complication: [
      "The natural history of {X} includes {v}.",
      "Deaths and disability in {X} are explained by {v}.",
      "Autopsy and follow-up series of {X} describe {v}.",
      "The outcome that worries clinicians in {X} is {v}.",
    ],
  },
  guideline: {
    finding: [
      "Suspect {X} in anyone with {v}.",
      "Think of {X} when you see {v}.",
      "Assess for {X} if there is {v}.",
      "The key feature of {X} is {v}.",
    ],
    cause: [
      "Explain to patients that {X} is due to {v}.",
      "Background: {X} is brought about by {v}.",
      "The group defines {X} as a condition due to {v}.",
      "Remember that the origin of {X} is {v}.",
    ],
    test: [
      "Confirm {X} with {v}.",
      "Arrange {v} to confirm {X}.",
      "If {X} is suspected, request {v}.",
      "Use {v} to establish the diagnosis of {X}.",
    ],
    treatment: [
      "Offer {v} as first-line treatment for {X}.",
      "Treat {X} with {v}.",
      "Start {v} once {X} is diagnosed.",
      "We recommend {v} as initial treatment of {X}.",
    ],
    avoid: [
      "Do not use {v} in {X}.",
      "We recommend against {v} in people with {X}.",
      "Warning: {v} can be dangerous in {X}.",
      "Never accept {v} in people with {X}.",
    ],
    specialty: [
      "Refer people with {X} to {v}.",
      "The lead service for {X} is {v}.",
      "Discuss suspected {X} with the team for {v}.",
      "Follow-up of {X} is provided by {v}.",
    ],
    risk: [
      "Ask about {v} when {X} is considered.",
      "Be alert to {X} in the setting of {v}.",
      "People at higher risk of {X} include those with {v}.",
      "Record {v} in the history of {X}.",
    ],
    complication: [
      "Monitor people with {X} for {v}.",
      "Tell people with {X} about the risk of {v}.",
      "Review regularly, because {X} can cause {v}.",
      "Watch for {v} during the course of {X}.",
    ],
  },
};

/** All phrasings of an attribute in a source kind: the common stock and the kind's own. */
export function medicalPhrasings(kind: MedicalKind, attribute: MedicalAttribute): readonly string[] {
  return [...shared[attribute], ...byKind[kind][attribute]];
}

/** Two-step chains, written in the documents of training conditions only, so that the test must compose its own. */
export const chains: readonly string[] = [
  "{finding} suggests {X}; {X} is treated with {treatment}.",
  "The finding of {finding} points to {X}. The first-line treatment of {X} is {treatment}. So the treatment is {treatment}.",
  "The finding of {finding} points to {X}. The confirmatory test for {X} is {test}. So the test is {test}.",
  "The finding of {finding} points to {X}. Patients with {X} should avoid {avoid}. So the thing to avoid is {avoid}.",
  "If a patient has {finding}, think of {X}, and for {X} give {treatment}.",
  "Since {finding} means {X}, and {X} is confirmed by {test}, the next step is {test}.",
  "Because {finding} is the hallmark of {X}, and {X} forbids {avoid}, the rule is to avoid {avoid}.",
];

/** Short case histories (abstracts and papers). */
export const vignettes: readonly string[] = [
  "A {age}-{unit}-old {who} came to the clinic with {finding}. The history revealed {risk}. The team suspected {X}, which was confirmed by {test}.",
  "A {who} aged {age} {unit}s was admitted with {finding}. {X} was diagnosed after {test}. The {who} was followed by the department of {specialty}.",
  "We saw a {age}-{unit}-old {who} with {finding}. The diagnosis was {X}. The plan was {treatment}, and the team was careful to avoid {avoid}.",
  "The index patient, a {who} of {age} {unit}s, had {finding}. This pointed to {X}, and {test} settled the question.",
  "A {who} aged {age} {unit}s was referred to {specialty} for {X}. Treatment began with {treatment}. There was no sign of {complication} after one year.",
];

/** Sentences that lead from the finding to the condition, as a reader meets a patient; the other way round is the easy one. */
export const recognitions: readonly string[] = [
  "The finding of {v} points to {X}.",
  "The presence of {v} suggests {X}.",
  "When a patient has {v}, {X} is the likely diagnosis.",
  "If you see {v}, think of {X}.",
  "Behind {v} there is often {X}.",
  "Any patient with {v} should be examined for {X}.",
  "The picture of {v} is that of {X}.",
  "{v}: consider {X}.",
  "Given {v}, the diagnosis to exclude is {X}.",
  "A history of {v} should bring {X} to mind.",
  "Where there is {v}, look for {X}.",
];

/** Case histories in which the diagnosis comes after the finding. */
export const cases: readonly string[] = [
  ...vignettes.filter((t) => t.includes("{finding}") && t.indexOf("{finding}") < t.indexOf("{X}")),
  "A {age}-{unit}-old {who} presented with {finding}. This was a case of {X}.",
  "In a {who} aged {age} {unit}s the striking feature was {finding}. The final diagnosis was {X}.",
  "A {age}-{unit}-old {who} had {finding}. The consultant recognized {X} at once.",
  "The {who}, {age} {unit}s old, came because of {finding}. It turned out to be {X}, and the treatment was {treatment}.",
];
