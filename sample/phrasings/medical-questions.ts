/**
 * How medical questions are asked. Phrasings are divided among the splits: those under `test` are used nowhere else, neither
 * in the corpus nor in training. Slots: `{X}`, `{finding}`, `{age}`, `{who}`.
 */
export interface QuestionType {
  relation: string;
  /** The attribute (or `name`) whose values are the options. */
  answer: string;
  steps: 1 | 2;
  train: readonly string[];
  validation: readonly string[];
  test: readonly string[];
  /** The reasoning that ends in the answer, in two sentences; `{answer}` is the letter. */
  explanation: string;
}

export const medicalQuestions: readonly QuestionType[] = [
  {
    relation: "finding-condition",
    answer: "name",
    steps: 1,
    train: [
      "{aage}-{unit}-old {who} presents with {finding}. What is the most likely diagnosis?",
      "Which condition is characterized by {finding}?",
      "A patient has {finding}. Which of the following is the diagnosis?",
      "The finding of {finding} is the hallmark of which condition?",
      "{awho} aged {age} {unit}s is seen with {finding}. Which disease should be suspected?",
    ],
    validation: [
      "During a ward round you meet {finding}. Which disorder comes to mind first?",
      "Asked about {finding}, a colleague offers four diagnoses. Which fits?",
    ],
    test: [
      "{aage}-{unit}-old {who} is brought in displaying {finding}. Which diagnosis best explains this picture?",
      "Which one of these disorders would you expect behind {finding}?",
      "An examiner describes {finding}. Name the disease being described.",
      "Suppose the record mentions {finding}. Which label belongs on it?",
    ],
    explanation: "The hallmark finding of {X} is {finding}. So the diagnosis is {X}.",
  },
  {
    relation: "condition-cause",
    answer: "cause",
    steps: 1,
    train: [
      "What is the cause of {X}?",
      "Which of the following causes {X}?",
      "{X} is caused by which of the following?",
      "Which mechanism underlies {X}?",
      "A student asks what causes {X}. What is the correct answer?",
      "What accounts for {X}?",
      "Where does {X} have its source?",
    ],
    validation: ["Which process gives rise to {X}?", "What would you find at the origin of {X}?"],
    test: [
      "Which of these best accounts for the development of {X}?",
      "To what would a pathologist ascribe {X}?",
      "Pick the underlying problem responsible for {X}.",
      "Trace {X} to its source: which option is it?",
    ],
    explanation: "{X} is caused by {cause}. So the cause is {cause}.",
  },
  {
    relation: "condition-test",
    answer: "test",
    steps: 1,
    train: [
      "What is the confirmatory test for {X}?",
      "Which test confirms {X}?",
      "{X} is suspected. Which investigation confirms the diagnosis?",
      "Which of the following is used to confirm {X}?",
      "What is the best test to diagnose {X}?",
      "Which study verifies {X}?",
      "What should a doctor order to prove {X}?",
      "Select the test that establishes {X}.",
      "Which result shows that it is {X}?",
    ],
    validation: ["Which investigation settles the question of {X}?", "How would you make sure that it is {X}?"],
    test: [
      "A doctor wants proof that a patient has {X}. What should be ordered?",
      "Which single study would establish {X} beyond doubt?",
      "Select the investigation that verifies {X}.",
      "Before anyone may write down {X}, which result has to be in hand?",
    ],
    explanation: "{X} is confirmed by {test}. So the test is {test}.",
  },
  {
    relation: "condition-treatment",
    answer: "treatment",
    steps: 1,
    train: [
      "What is the first-line treatment of {X}?",
      "Which treatment is preferred for {X}?",
      "A patient is diagnosed with {X}. Which treatment should be started?",
      "Which of the following is used to treat {X}?",
      "What is the treatment of choice for {X}?",
      "How is {X} managed at first?",
      "Select the therapy for {X}.",
      "Which course of action is right in {X}?",
      "What comes first in the care of {X}?",
    ],
    validation: [
      "Which therapy should a patient with {X} be offered at first?",
      "With what would you begin to treat {X}?",
    ],
    test: [
      "Someone has just been told they have {X}. How should they be treated initially?",
      "Which option describes the recommended opening therapy in {X}?",
      "Select the management that a textbook would put first for {X}.",
      "On the day {X} is found, which course of action comes before all others?",
    ],
    explanation: "The first-line treatment of {X} is {treatment}. So the treatment is {treatment}.",
  },
  {
    relation: "condition-avoid",
    answer: "avoid",
    steps: 1,
    train: [
      "Which of the following should be avoided in {X}?",
      "What is contraindicated in {X}?",
      "A patient with {X} should avoid which of the following?",
      "In {X}, which of the following is harmful?",
      "What should not be used in {X}?",
      "What is dangerous in {X}?",
      "Select what is unsafe for a patient with {X}.",
      "Which risk should nobody take in {X}?",
      "What must not be given in {X}?",
    ],
    validation: [
      "Which of these would be a mistake in a patient with {X}?",
      "A person with {X} asks what to stay away from. Which reply is correct?",
    ],
    test: [
      "Which choice would put a person with {X} in danger?",
      "What must a careful prescriber or surgeon keep away from in {X}?",
      "Select the item that {X} turns into a risk.",
      "Cross out the one thing that {X} rules out.",
    ],
    explanation: "Patients with {X} should avoid {avoid}. So the thing to avoid is {avoid}.",
  },
  {
    relation: "condition-specialty",
    answer: "specialty",
    steps: 1,
    train: [
      "Which specialty manages {X}?",
      "{X} belongs to which specialty?",
      "A patient with {X} should be referred to which department?",
      "Which department looks after {X}?",
    ],
    validation: [
      "To which service would you send a person with {X}?",
      "Which service does a family doctor call about {X}?",
    ],
    test: [
      "Whose outpatient clinic is the natural home for {X}?",
      "Specialists of which field would normally lead treatment in {X}?",
      "Somebody with {X} needs an appointment. Which door should they knock on?",
    ],
    explanation: "{X} is managed in {specialty}. So the specialty is {specialty}.",
  },
  {
    relation: "finding-treatment",
    answer: "treatment",
    steps: 2,
    train: [
      "{aage}-{unit}-old {who} presents with {finding}. What is the first-line treatment?",
      "A patient has {finding}. Which treatment should be started?",
      "Which treatment is preferred for the condition characterized by {finding}?",
      "{awho} aged {age} {unit}s is seen with {finding}. What is the treatment of choice?",
      "How would you manage a patient with {finding}?",
      "A doctor sees {finding}. Choose the initial management.",
      "What is the right course of action in a patient with {finding}?",
      "{aage}-{unit}-old {who} has {finding}. What comes first in the care?",
    ],
    validation: [
      "During a ward round you meet {finding}. Which therapy comes to mind first?",
      "Asked about {finding}, a colleague names four therapies. Which fits?",
    ],
    test: [
      "{aage}-{unit}-old {who} is brought in displaying {finding}. How should this illness be treated initially?",
      "Given someone showing {finding}, select the management a textbook would put first.",
      "Suppose the record mentions {finding}. Which course of action comes before all others?",
    ],
    explanation:
      "The diagnosis is {X}. The first-line treatment of {X} is {treatment}. So the treatment is {treatment}.",
  },
  {
    relation: "finding-test",
    answer: "test",
    steps: 2,
    train: [
      "{aage}-{unit}-old {who} presents with {finding}. Which test confirms the diagnosis?",
      "A patient has {finding}. What is the best test to confirm the diagnosis?",
      "Which investigation confirms the condition characterized by {finding}?",
      "A doctor sees {finding}. Choose the study that proves the diagnosis.",
      "Which result would establish the diagnosis in a patient with {finding}?",
      "What should be ordered for a patient with {finding}?",
      "{aage}-{unit}-old {who} has {finding}. Which investigation verifies the diagnosis?",
    ],
    validation: [
      "During a ward round you meet {finding}. Which investigation settles the question?",
      "Asked about {finding}, a colleague names four investigations. Which fits?",
    ],
    test: [
      "{aage}-{unit}-old {who} is brought in displaying {finding}. Which single study would establish the disease?",
      "Given someone showing {finding}, select the investigation that verifies the illness.",
      "Suppose the record mentions {finding}. Which result has to be in hand before the illness is named?",
    ],
    explanation: "The diagnosis is {X}. The confirmatory test for {X} is {test}. So the test is {test}.",
  },
  {
    relation: "finding-avoid",
    answer: "avoid",
    steps: 2,
    train: [
      "{aage}-{unit}-old {who} presents with {finding}. Which of the following should be avoided?",
      "A patient has {finding}. What is contraindicated?",
      "In the condition characterized by {finding}, which of the following is harmful?",
      "A doctor sees {finding}. Choose what is unsafe.",
      "Which choice is dangerous for a patient with {finding}?",
      "What must not be done in a patient with {finding}?",
      "{aage}-{unit}-old {who} has {finding}. Which risk should nobody take?",
    ],
    validation: [
      "During a ward round you meet {finding}. Which of these would be a mistake?",
      "Asked about {finding}, a colleague lists four measures. Which would be a mistake?",
    ],
    test: [
      "{aage}-{unit}-old {who} is brought in displaying {finding}. Which choice would put this person in danger?",
      "Given someone showing {finding}, select the item that is unsafe.",
      "Suppose the record mentions {finding}. Cross out the one thing that has no place in this care.",
    ],
    explanation: "The diagnosis is {X}. Patients with {X} should avoid {avoid}. So the thing to avoid is {avoid}.",
  },
];
