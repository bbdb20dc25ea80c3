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
    "When a patient has {v}, {X} is the likely diagnosis.",
    "What gives {X} away is {v}.",
    "Anyone seen with {v} may have {X}.",
    "{X} is recognized by {v}.",
    "Given {v}, think first of {X}.",
  ],
  cause: [
    "{X} is caused by {v}.",
    "The cause of {X} is {v}.",
    "The mechanism behind {X} is {v}.",
    "{X} results from {v}.",
    "Behind {X} we find {v}.",
    "What produces {X} is {v}.",
    "It is through {v} that {X} develops.",
    "{X} can be traced back to {v}.",
  ],
  test: [
    "The confirmatory test for {X} is {v}.",
    "{X} is confirmed by {v}.",
    "The diagnosis of {X} rests on {v}.",
    "To confirm {X}, the test of choice is {v}.",
    "Suspected {X} is confirmed with {v}.",
    "By {v}, {X} can be proved.",
    "{X} is diagnosed by means of {v}.",
    "Proof of {X} requires {v}.",
  ],
  treatment: [
    "The first-line treatment of {X} is {v}.",
    "{X} is treated with {v}.",
    "The treatment of choice for {X} is {v}.",
    "Initial therapy for {X} consists of {v}.",
    "Patients with {X} should receive {v}.",
    "For {X}, the preferred treatment is {v}.",
    "{X} calls for {v}.",
    "Against {X}, doctors first turn to {v}.",
  ],
  avoid: [
    "{X} is a reason to avoid {v}.",
    "Patients with {X} should avoid {v}.",
    "In {X}, the thing to avoid is {v}.",
    "A known hazard in {X} is {v}.",
    "In patients with {X}, harm has followed {v}.",
    "The contraindication to remember in {X} is {v}.",
    "Contraindicated in {X}: {v}.",
    "Where {X} is present, {v} can do damage.",
  ],
  specialty: [
    "{X} is managed in {v}.",
    "{X} belongs to the field of {v}.",
    "The specialty that looks after {X} is {v}.",
    "Care of {X} falls to {v}.",
    "Patients with {X} are referred to {v}.",
    "In hospital, {X} is handled by the department of {v}.",
    "Among the specialties, {v} takes charge of {X}.",
    "A textbook of {v} has a chapter on {X}.",
  ],
  risk: [
    "A typical background of {X} is {v}.",
    "The main risk setting for {X} is {v}.",
    "{X} is linked to {v}.",
    "The risk of {X} is tied to {v}.",
    "One known association of {X} is {v}.",
    "{X} is more likely with {v}.",
    "The history in {X} often reveals {v}.",
    "With {v}, the chance of {X} rises.",
  ],
  complication: [
    "A feared complication of {X} is {v}.",
    "{X} may be complicated by {v}.",
    "Untreated {X} can lead to {v}.",
    "{X} can progress to {v}.",
    "One danger of {X} is {v}.",
    "Without treatment, {X} may end in {v}.",
    "The step from {X} to {v} is sometimes short.",
    "What one fears most in {X} is {v}.",
  ],
};

const byKind: Record<MedicalKind, Stock> = {
  abstract: {
    finding: [
      "The most frequent presentation of {X} was {v}.",
      "In this cohort, {X} presented with {v}.",
      "The sign that best separated {X} from its mimics was {v}.",
      "Most patients with {X} were recognized by {v}.",
      "Of those seen with {v}, most proved to have {X}.",
      "On admission, {v} had been noted in nearly every case of {X}.",
    ],
    cause: [
      "These data support {v} as the cause of {X}.",
      "Our results agree that {X} follows from {v}.",
      "The accepted origin of {X} is {v}.",
      "We confirm that the driver of {X} is {v}.",
      "A causal link from {v} to {X} was confirmed.",
      "In all patients studied, {X} had arisen from {v}.",
    ],
    test: [
      "In our patients, {X} was confirmed by {v}.",
      "For {X}, the highest accuracy was reached by {v}.",
      "The reference standard for {X} was {v}.",
      "The test that settled the diagnosis of {X} was {v}.",
      "After {v}, doubt about {X} remained in no patient.",
      "We used {v} to establish {X} in every case.",
    ],
    treatment: [
      "Patients with {X} were managed with {v} as first-line treatment.",
      "In {X}, the best outcome was seen with {v}.",
      "Our results support {v} as initial treatment of {X}.",
      "The first treatment chosen for {X} was {v}.",
      "We compared regimens for {X}, and {v} came first.",
      "Most centers chose {v} when {X} had been diagnosed.",
    ],
    avoid: [
      "Adverse events in {X} were linked to {v}.",
      "Our data argue against {v} in {X}.",
      "In {X}, outcomes were worse after {v}.",
      "Among errors in the care of {X}, the most serious was {v}.",
      "Several patients with {X} deteriorated after {v}.",
      "Because of {v}, some cases of {X} ended badly.",
    ],
    specialty: [
      "Patients with {X} were enrolled in departments of {v}.",
      "This study of {X} was run by a unit of {v}.",
      "We studied {X} in centers of {v}.",
      "{X} remains a core topic of {v}.",
      "Doctors trained in {v} had followed all patients with {X}.",
      "All clinics of {v} in the region reported their cases of {X}.",
    ],
    risk: [
      "In the multivariable model, {X} was associated with {v}.",
      "The background most often recorded in {X} was {v}.",
      "Cases of {X} clustered around {v}.",
      "In this series, {X} was linked to {v}.",
      "Among predictors of {X}, the strongest was {v}.",
      "Our registry ties {v} to {X}.",
    ],
    complication: [
      "During follow-up, {X} was complicated by {v}.",
      "The most serious outcome of {X} was {v}.",
      "The event we feared most in {X} was {v}.",
      "Late follow-up of {X} showed {v}.",
      "Some patients with {X} went on to develop {v}.",
      "We recorded {v} as the main complication of {X}.",
    ],
  },
  paper: {
    finding: [
      "On examination, the clue to {X} is {v}.",
      "Clinicians learn to suspect {X} when they meet {v}.",
      "Textbooks describe {v} as the signature of {X}.",
      "Few conditions other than {X} produce {v}.",
      "A student who remembers {v} will not miss {X}.",
      "No description of {X} is complete without {v}.",
    ],
    cause: [
      "Experimental work has traced {X} to {v}.",
      "It is now accepted that {X} stems from {v}.",
      "The pathogenesis of {X} begins with {v}.",
      "Most authors attribute {X} to {v}.",
      "Were it not for {v}, {X} would hardly occur.",
      "Why does {X} develop? The answer is {v}.",
    ],
    test: [
      "In practice, proof of {X} comes from {v}.",
      "The work-up of {X} ends with {v}.",
      "Doubt about {X} is resolved by {v}.",
      "Laboratories and clinics confirm {X} through {v}.",
      "How is {X} proved? The usual answer is {v}.",
      "Nothing settles the question of {X} better than {v}.",
    ],
    treatment: [
      "Trials have established {v} for the treatment of {X}.",
      "Treatment of {X} starts with {v}.",
      "The therapy with the best evidence in {X} is {v}.",
      "In daily practice, {X} is first treated with {v}.",
      "Reviews of {X} agree that {v} should come first.",
      "What should be tried first in {X}? Most experts answer {v}.",
    ],
    avoid: [
      "Several reports warn against {v} in {X}.",
      "In the setting of {X}, a well-known mistake is {v}.",
      "Experience with {X} has taught clinicians to avoid {v}.",
      "The literature on {X} lists {v} as contraindicated.",
      "That {v} should be avoided in {X} is no longer disputed.",
      "Little is gained, and much is risked, by {v} in {X}.",
    ],
    specialty: [
      "Research on {X} comes mostly from {v}.",
      "Specialists in {v} see most cases of {X}.",
      "{X} is taught as part of {v}.",
      "Within medicine, {X} is a subject of {v}.",
      "For help with {X}, a physician turns to {v}.",
      "Journals of {v} publish most of the work on {X}.",
    ],
    risk: [
      "Epidemiological studies connect {X} with {v}.",
      "Surveys of {X} repeatedly find {v}.",
      "The classic background for {X} is {v}.",
      "Case-control work on {X} points to {v}.",
      "Population data leave little doubt that {v} can go with {X}.",
      "The link between {v} and {X} is well known.",
    ],
    complication: [
      "The natural history of {X} includes {v}.",
      "Deaths and disability in {X} are explained by {v}.",
      "Autopsy and follow-up series of {X} describe {v}.",
      "The outcome that worries clinicians in {X} is {v}.",
      "Neglect of {X} invites {v}.",
      "In its later course, {X} may bring {v}.",
    ],
  },
  guideline: {
    finding: [
      "Suspect {X} in anyone with {v}.",
      "Think of {X} when you see {v}.",
      "The key feature of {X} is {v}.",
      "In people presenting with {v}, consider {X} early.",
      "Look for {v} whenever {X} is possible.",
      "Do not overlook {X} in a person with {v}.",
    ],
    cause: [
      "Explain to patients that {X} is due to {v}.",
      "Background: {X} is brought about by {v}.",
      "The group defines {X} as a condition due to {v}.",
      "Remember that the origin of {X} is {v}.",
      "Families may ask why {X} occurs; the reason is {v}.",
      "Tell people how {v} can lead to {X}.",
    ],
    test: [
      "Confirm {X} with {v}.",
      "If {X} is suspected, confirm it by {v}.",
      "Base the diagnosis of {X} on {v}.",
      "Use {v} to establish the diagnosis of {X}.",
      "Where {X} remains possible, decide by {v}.",
      "Do not diagnose {X} without {v}.",
    ],
    treatment: [
      "Offer {v} as first-line treatment for {X}.",
      "Treat {X} with {v}.",
      "Once {X} is diagnosed, begin with {v}.",
      "We recommend {v} as initial treatment of {X}.",
      "People with {X} should be offered {v} first.",
      "Choose {v} when starting therapy for {X}.",
    ],
    avoid: [
      "Avoid {v} in {X}.",
      "We recommend against {v} in people with {X}.",
      "Warning: {v} can be dangerous in {X}.",
      "Never accept {v} in people with {X}.",
      "Record a warning about {v} in the notes of people with {X}.",
      "People with {X} must be protected from {v}.",
    ],
    specialty: [
      "Refer people with {X} to {v}.",
      "The lead service for {X} is {v}.",
      "Discuss suspected {X} with the team for {v}.",
      "Follow-up of {X} is provided by {v}.",
      "A specialist in {v} should see everyone with {X}.",
      "Make {v} responsible for people with {X}.",
    ],
    risk: [
      "Ask about {v} when {X} is considered.",
      "Be alert to {X} in the setting of {v}.",
      "People at higher risk of {X} include those with {v}.",
      "Record {v} in the history of {X}.",
      "A background of {v} should raise suspicion of {X}.",
      "Lower the threshold for suspecting {X} in the presence of {v}.",
    ],
    complication: [
      "Monitor people with {X} for {v}.",
      "Tell people with {X} about the risk of {v}.",
      "Review regularly, because {X} can cause {v}.",
      "Watch for {v} during the course of {X}.",
      "Early treatment of {X} helps to prevent {v}.",
      "Arrange prompt review for {v} in people with {X}.",
    ],
  },
};

/** All phrasings of an attribute in a source kind: the common stock and the kind's own. */
export function medicalPhrasings(kind: MedicalKind, attribute: MedicalAttribute): readonly string[] {
  return [...shared[attribute], ...byKind[kind][attribute]];
}

/** Two-step chains, written in the documents of training conditions only, so that the test must compose its own. */
export const chains: readonly string[] = [
  "The presence of {finding} suggests {X}; {X} is treated with {treatment}.",
  "The finding of {finding} points to {X}. The first-line treatment of {X} is {treatment}. So the treatment is {treatment}.",
  "The finding of {finding} points to {X}. The confirmatory test for {X} is {test}. So the test is {test}.",
  "The finding of {finding} points to {X}. Patients with {X} should avoid {avoid}. So the thing to avoid is {avoid}.",
  "If a patient has {finding}, think of {X}, and for {X} give {treatment}.",
  "Since the finding of {finding} means {X}, and {X} is confirmed by {test}, the next step is {test}.",
  "From {finding} we conclude {X}, and as {X} forbids {avoid}, the rule is to avoid {avoid}.",
];

/** Short case histories (abstracts and papers). */
export const vignettes: readonly string[] = [
  "{aage}-{unit}-old {who} came to the clinic with {finding}. The history revealed {risk}. The team suspected {X}, which was confirmed by {test}.",
  "{awho} aged {age} {unit}s was admitted with {finding}. {X} was diagnosed after {test}. The {who} was followed by the department of {specialty}.",
  "We saw {aage}-{unit}-old {who} with {finding}. The diagnosis was {X}. The plan was {treatment}, and the team was careful to avoid {avoid}.",
  "The index patient, {awho} of {age} {unit}s, had {finding}. This pointed to {X}, and {test} settled the question.",
  "{awho} aged {age} {unit}s was referred to {specialty} for {X}. Treatment began with {treatment}. There was no sign of {complication} after one year.",
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
  "Finding: {v}. The diagnosis is {X}.",
  "With {v}, the diagnosis is {X}.",
];

/** Case histories in which the diagnosis comes after the finding. */
export const cases: readonly string[] = [
  ...vignettes.filter((t) => t.includes("{finding}") && t.indexOf("{finding}") < t.indexOf("{X}")),
  "A {age}-{unit}-old {who} presented with {finding}. This was a case of {X}.",
  "In a {who} aged {age} {unit}s the striking feature was {finding}. The final diagnosis was {X}.",
  "A {age}-{unit}-old {who} had {finding}. The consultant recognized {X} at once.",
  "A {age}-{unit}-old {who} was seen for {finding}. The diagnosis is {X}.",
  "In a {who} of {age} {unit}s, {finding} stood out. The diagnosis is {X}.",
  "The {who}, {age} {unit}s old, came because of {finding}. It turned out to be {X}, and the treatment was {treatment}.",
];
