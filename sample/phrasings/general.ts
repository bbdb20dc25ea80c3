/**
 * How everyday facts are said and asked. An attribute has a `label`, a noun phrase that stands for the value ("the currency
 * of France"), from which many sentences and all questions grow (empty: none do), and sentences of its own. `clue` names the attribute that
 * tells an entity from all others; `reference` describes the entity by its clue, for two-step questions.
 */
export interface AttributePhrasing {
  label: string;
  statements: readonly string[];
}
export interface DomainPhrasing {
  plural: string;
  clue: string;
  /** Noun phrase that names the entity itself, for questions clue -> name. */
  reference: string;
  /** The same in other words, for the test split only. */
  testReference: string;
  attributes: Record<string, AttributePhrasing>;
}

/** Sentences that fit any attribute: `{L}` is the label filled in, `{v}` the value. */
export const labelStatements: readonly string[] = [
  "{L} is {v}.",
  "As most people know, {L} is {v}.",
  "If you ask about {L}, the answer is {v}.",
  "When it comes to {L}, think of {v}.",
  "Everyone in class remembered that {L} is {v}.",
  "My grandmother told me that {L} is {v}.",
  "It says in the book that {L} is {v}.",
  "Remember: {L} is {v}.",
];

export const domainPhrasings: Record<string, DomainPhrasing> = {
  country: {
    plural: "countries",
    clue: "capital",
    reference: "the country whose capital is {clue}",
    testReference: "the state governed from {clue}",
    attributes: {
      capital: {
        label: "the capital of {X}",
        statements: [
          "{v} is the capital of {X}.",
          "The government of {X} sits in {v}.",
          "{X} has its capital in {v}.",
          "We flew to {v}, the capital of {X}.",
          "From {X} we sent a card showing its capital, {v}.",
        ],
      },
      continent: {
        label: "the continent of {X}",
        statements: [
          "{X} lies in {v}.",
          "{X} is a country in {v}.",
          "On a map of {v} you will find {X}.",
          "Travelers in {v} often visit {X}.",
          "{X} is part of {v}.",
        ],
      },
      language: {
        label: "the main language of {X}",
        statements: [
          "People in {X} speak {v}.",
          "In {X} most signs are written in {v}.",
          "To live in {X} it helps to learn {v}.",
          "Children in {X} grow up with {v}.",
          "{v} is spoken in {X}.",
        ],
      },
      currency: {
        label: "the currency of {X}",
        statements: [
          "In {X} you pay with {v}.",
          "Prices in {X} are given in {v}.",
          "Before a trip to {X}, change your money into {v}.",
          "Shops in {X} take {v}.",
          "The money used in {X} is {v}.",
        ],
      },
      landmark: {
        label: "the famous landmark of {X}",
        statements: [
          "Visitors to {X} want to see {v}.",
          "{X} is the home of {v}.",
          "The best known sight in {X} is {v}.",
          "No trip to {X} is complete without {v}.",
          "In {X} we took photographs of {v}.",
        ],
      },
      product: {
        label: "the well-known product of {X}",
        statements: [
          "{X} is famous for {v}.",
          "{X} sells {v} to the world.",
          "Traders come to {X} for {v}.",
          "From {X} come {v}.",
          "Markets in {X} are full of {v}.",
        ],
      },
    },
  },
  animal: {
    plural: "animals",
    clue: "feature",
    reference: "the animal known for {clue}",
    testReference: "the creature that boasts {clue}",
    attributes: {
      feature: {
        label: "the special mark of {theX}",
        statements: [
          "{theX} is known for {v}.",
          "You can tell {aX} by {v}.",
          "What makes {theX} special is {v}.",
          "{aX} has {v}.",
          "Children draw {theX} with {v}.",
        ],
      },
      group: {
        label: "the animal group of {theX}",
        statements: [
          "{theX} is {av}.",
          "{aX} belongs to the group called {v}.",
          "In the zoo book, {theX} is listed as {av}.",
          "Every {X} is {av}.",
          "Scientists count {theX} as {av}.",
        ],
      },
      food: {
        label: "the usual food of {theX}",
        statements: [
          "{theX} eats {v}.",
          "{aX} feeds on {v}.",
          "To feed {aX}, you need {v}.",
          "{aX} looks for {v} when it is hungry.",
          "The diet of {theX} is {v}.",
        ],
      },
      home: {
        label: "the home of {theX}",
        statements: [
          "{theX} lives in or on {v}.",
          "You will find {theX} at home in {v}.",
          "{aX} makes its home in {v}.",
          "Look for {aX} near {v}.",
          "The place where {theX} lives is {v}.",
        ],
      },
      young: {
        label: "the young of {theX}",
        statements: [
          "The baby of {theX} is called {av}.",
          "A young {X} is called {av}.",
          "A mother {X} looks after her {v}.",
          "{av} grows up to be {aX}.",
          "When it is small, {theX} is called {av}.",
        ],
      },
    },
  },
  object: {
    plural: "objects",
    clue: "use",
    reference: "the thing used for {clue}",
    testReference: "the article that serves for {clue}",
    attributes: {
      use: {
        label: "the purpose of {theX}",
        statements: [
          "{aX} is used for {v}.",
          "People need {aX} for {v}.",
          "For {v}, take {aX}.",
          "{theX} was made for {v}.",
          "Nothing beats {aX} for {v}.",
        ],
      },
      material: {
        label: "the material of {theX}",
        statements: [
          "{aX} is made of {v}.",
          "A good {X} is made from {v}.",
          "{theX} consists of {v}.",
          "Makers choose {v} for {aX}.",
          "Our old {X} was made of {v}.",
        ],
      },
      place: {
        label: "the usual place for {theX}",
        statements: [
          "{theX} is kept at this place: {v}.",
          "{theX} belongs to this place: {v}.",
          "Where is {theX}? Try {v}.",
          "Put {theX} back where it belongs: {v}.",
          "We looked for {theX} and found it. The place was {v}.",
        ],
      },
      part: {
        label: "the main part of {theX}",
        statements: [
          "{aX} has {v}.",
          "A good {X} needs {v}.",
          "Without {v}, {aX} would not work.",
          "Look at {theX}: it has {v}.",
          "An important part of {aX} is {v}.",
        ],
      },
      partner: {
        label: "the companion of {theX}",
        statements: [
          "{theX} goes together with {v}.",
          "With {aX} you often need {v}.",
          "{aX} is sold together with {v}.",
          "Next to {theX} there is usually {v}.",
          "If you use {aX}, have {v} ready.",
        ],
      },
    },
  },
  job: {
    plural: "jobs",
    clue: "task",
    reference: "the worker who {clue}",
    testReference: "the professional who normally {clue}",
    attributes: {
      task: {
        label: "",
        statements: [
          "{aX} is a person who {v}.",
          "{theX} is the one who {v}.",
          "Every day {theX} {v}.",
          "My uncle is {aX}: he {v}.",
          "My aunt is {aX}: she {v}.",
        ],
      },
      tool: {
        label: "the tool of {theX}",
        statements: [
          "{theX} works with {v}.",
          "{aX} needs {v}.",
          "In the hands of {theX} you see {v}.",
          "No {X} can work without {v}.",
          "For work, {theX} takes {v}.",
        ],
      },
      workplace: {
        label: "the workplace of {theX}",
        statements: [
          "{theX} works at this place: {v}.",
          "You will meet {theX} here: {v}.",
          "Where does {aX} work? The answer is {v}.",
          "The day of {theX} begins at {v}.",
          "The place where {aX} works is {v}.",
        ],
      },
      material: {
        label: "the material of {theX}",
        statements: [
          "{theX} handles {v}.",
          "{aX} spends the day with {v}.",
          "The daily business of {aX} is {v}.",
          "{theX} knows all about {v}.",
          "{aX} orders {v} every week.",
        ],
      },
      clothing: {
        label: "the clothing of {theX}",
        statements: [
          "{theX} wears {v}.",
          "At work {aX} puts on {v}.",
          "You recognize {aX} by {v}.",
          "{theX} never goes to work without {v}.",
          "On the hook hangs what {theX} wears: {v}.",
        ],
      },
    },
  },
  food: {
    plural: "foods",
    clue: "clue",
    reference: "the food described as {clue}",
    testReference: "the grocery item meant by {clue}",
    attributes: {
      clue: {
        label: "the description of {X}",
        statements: [
          "{X} is {v}.",
          "In the kitchen, {X} means {v}.",
          "What is {X}? It is {v}.",
          "The cook calls {v} by the name of {X}.",
          "By {X} we mean {v}.",
        ],
      },
      origin: {
        label: "the origin of {X}",
        statements: [
          "{X} comes from {v}.",
          "We get {X} from {v}.",
          "{X} is taken from {v}.",
          "The source of {X} is {v}.",
          "Growers and makers get {X} from {v}.",
        ],
      },
      taste: {
        label: "the taste of {X}",
        statements: [
          "{X} tastes {v}.",
          "The flavor of {X} is {v}.",
          "On the tongue, {X} is {v}.",
          "Cooks describe {X} as {v}.",
          "People like {X} because it is {v}.",
        ],
      },
      color: {
        label: "the color of {X}",
        statements: [
          "The color we see in {X} is {v}.",
          "Look at {X}: the color is {v}.",
          "Paint a picture of {X} and use {v}.",
          "On the plate, {X} looks {v}.",
          "In the shop, {X} is {v} to the eye.",
        ],
      },
      dish: {
        label: "the popular use of {X}",
        statements: [
          "{X} is used for {v}.",
          "With {X} you can make {v}.",
          "A well-known way to enjoy {X} is {v}.",
          "Buy {X} if you want to make {v}.",
          "Without {X} there would be no {v}.",
        ],
      },
    },
  },
  person: {
    plural: "people of history",
    clue: "work",
    reference: "the person remembered for {clue}",
    testReference: "the historical figure to whom we owe {clue}",
    attributes: {
      work: {
        label: "the great deed of {X}",
        statements: [
          "{X} is remembered for {v}.",
          "The world owes {v} to {X}.",
          "With {v}, {X} became famous.",
          "Whoever hears of {v} thinks of {X}.",
          "School books honor {X} for {v}.",
        ],
      },
      occupation: {
        label: "the occupation of {X}",
        statements: [
          "{X} was {av}.",
          "{X} worked as {av}.",
          "As {av}, {X} is known everywhere.",
          "Among the portraits hangs {av}: {X}.",
          "The museum describes {X} as {av}.",
        ],
      },
      homeland: {
        label: "the homeland of {X}",
        statements: [
          "{X} came from {v}.",
          "{v} is proud of {X}.",
          "Stamps from {v} have shown {X}.",
          "By birth {X} belonged to {v}.",
          "A famous name from {v} is {X}.",
        ],
      },
      century: {
        label: "the century of {X}",
        statements: [
          "{X} was active in {v}.",
          "In {v}, people first spoke of {X}.",
          "A traveler to {v} could meet {X}.",
          "The fame of {X} dates from {v}.",
          "The time line shows {X} in {v}.",
        ],
      },
      birthplace: {
        label: "the birthplace of {X}",
        statements: [
          "{X} was born in {v}.",
          "A house in {v} recalls the birth of {X}.",
          "{v} is where {X} came into the world.",
          "The cradle of {X} stood in {v}.",
          "Visitors to {v} look for the first home of {X}.",
        ],
      },
    },
  },
  element: {
    plural: "chemical elements",
    clue: "use",
    reference: "the element used for {clue}",
    testReference: "the chemical substance that serves in {clue}",
    attributes: {
      use: {
        label: "the typical use of {X}",
        statements: [
          "{X} is used for {v}.",
          "For {v}, people take {X}.",
          "Factories need {X} for {v}.",
          "A common task of {X} is {v}.",
          "In {v}, {X} plays the main part.",
        ],
      },
      number: {
        label: "the atomic number of {X}",
        statements: [
          "{X} has the atomic number {v}.",
          "In the table of elements, {X} is number {v}.",
          "Place {v} in the list belongs to {X}.",
          "Count the protons of {X}: the result is {v}.",
          "At number {v} we find {X}.",
        ],
      },
      kind: {
        label: "the chemical family of {X}",
        statements: [
          "{X} is counted as {av}.",
          "Chemists file {X} under {v}.",
          "By its family, {X} is {av}.",
          "The word for the class of {X} is {v}.",
          "On the wall chart, {X} has the color of {av}.",
        ],
      },
      look: {
        label: "the look of {X}",
        statements: [
          "{X} is {v}.",
          "In the glass case, {X} appears as {v}.",
          "Pure {X} looks like this: {v}.",
          "The teacher showed us {X}, and what we saw was {v}.",
          "You recognize {X} by its look: {v}.",
        ],
      },
      source: {
        label: "the source of {X}",
        statements: [
          "{X} is obtained from {v}.",
          "We get {X} out of {v}.",
          "The raw material of {X} is {v}.",
          "Whoever wants {X} begins with {v}.",
          "A good supply of {X} is {v}.",
        ],
      },
    },
  },
  sport: {
    plural: "sports and games",
    clue: "aim",
    reference: "the sport that is about {clue}",
    testReference: "the contest decided by {clue}",
    attributes: {
      aim: {
        label: "the aim of {X}",
        statements: [
          "{X} is about {v}.",
          "Whoever plays {X} practices {v}.",
          "Points in {X} come from {v}.",
          "In short, {X} means {v}.",
          "They love {v}, so they chose {X}.",
        ],
      },
      gear: {
        label: "the gear for {X}",
        statements: [
          "For {X} you need {v}.",
          "Nobody comes to {X} without {v}.",
          "In the bag for {X} lies the gear: {v}.",
          "Before {X}, take out {v}.",
          "The shop sells what {X} requires: {v}.",
        ],
      },
      ground: {
        label: "the place for {X}",
        statements: [
          "{X} takes place on or in {v}.",
          "To watch {X}, go to this place: {v}.",
          "The home of {X} is {v}.",
          "They built {v} for {X}.",
          "{X} needs {v}.",
        ],
      },
      side: {
        label: "the usual side in {X}",
        statements: [
          "A side in {X} has {v}.",
          "Each side in {X} sends out {v}.",
          "For one side in {X}, count {v}.",
          "Against each other in {X}, every side fields {v}.",
          "The rules of {X} allow each side {v}.",
        ],
      },
      term: {
        label: "the typical term in {X}",
        statements: [
          "In {X} they speak of {v}.",
          "Fans of {X} know the term: {v}.",
          "The reporter of {X} shouted about {v}.",
          "If you hear of {v}, the talk is of {X}.",
          "A special word in {X} is {v}.",
        ],
      },
    },
  },
};

/** Question patterns over a label `{L}`; the same split rule as for medical questions. */
export const labelQuestions = {
  train: [
    "What is {L}?",
    "Which of the following is {L}?",
    "{L} is which of the following?",
    "Can you tell me what {L} is?",
    "Choose {L}.",
  ],
  validation: ["A pupil is asked to name {L}. Which reply is correct?"],
  test: [
    "In a quiz you must point out {L}. What do you say?",
    "Among these four, find {L}.",
    "Someone is curious regarding {L}. Help them out.",
  ],
} as const;

/** Two-step patterns: the label speaks of a description instead of a name. */
export const chainQuestions = {
  train: [
    "Think of {R}. What is {L}?",
    "What is {L}, if we speak of {R}?",
    "Consider {R}. Which of the following is {L}?",
  ],
  validation: ["A pupil hears of {R} and must name {L}. Which reply is correct?"],
  test: ["A riddle speaks of {R}. Find {L} among these four.", "Somebody hints at {R}. Point out {L}."],
} as const;

/** Clue -> name. */
export const nameQuestions = {
  train: ["What is {R}?", "Which of the following is {R}?", "Name {R}.", "Choose {R}."],
  validation: ["A pupil is asked to name {R}. Which reply is correct?"],
  test: ["Among these four, find {R}.", "A riddle speaks of {R}; guess its name."],
} as const;
