/** Stories, instructions, talk and sums around the everyday facts. Slots name what they take. */
export const people = [
  "Anna",
  "Ben",
  "Carla",
  "David",
  "Ella",
  "Felix",
  "Grace",
  "Hana",
  "Ivan",
  "Julia",
  "Karim",
  "Lucy",
  "Marco",
  "Nora",
  "Omar",
  "Paula",
  "Rita",
  "Sam",
  "Tina",
  "Walter",
] as const;

export const seasons = [
  {
    name: "spring",
    signs: ["the snow melted", "birds built nests", "the first flowers opened", "farmers planted seeds"],
  },
  {
    name: "summer",
    signs: [
      "the days were long and hot",
      "children swam in the lake",
      "wheat ripened in the fields",
      "people ate outside",
    ],
  },
  {
    name: "autumn",
    signs: ["leaves turned red and gold", "apples were picked", "fog lay over the fields", "birds flew south"],
  },
  {
    name: "winter",
    signs: ["snow covered the roofs", "the pond froze", "nights came early", "people sat by the fire"],
  },
] as const;

/** A story is an opening, several encounters with things, and an ending. */
export const storyOpenings = [
  "One morning in {season}, when {sign}, {P} left the house with {Q}.",
  "It was {season}, and {sign}. {P} had promised to show {Q} something new.",
  "{P} and {Q} were friends from school. In {season}, when {sign}, they went for a long walk.",
  "Last {season} {P} kept a diary. On the first page it says that {sign}, and that {Q} came to visit.",
  "The train was late, {sign}, and {P} had time to talk with {Q}.",
] as const;

export const encounters: Record<string, readonly string[]> = {
  animal: [
    "Near {home} they saw {aX}. {P} remembered that it eats {food}.",
    "{Q} pointed at a picture of {aX}, known for {feature}. Its young is called {ayoung}.",
    "They asked whether {aX} is {agroup}. It is {agroup}, said {P}.",
  ],
  object: [
    "{P} carried {aX}, because it is good for {use}.",
    "They found {aX} made of {material}. It had {part}.",
    "{Q} asked for {theX}. It was in its usual place: {place}.",
  ],
  job: [
    "On the way they met {aX}, who {task}. The tool was {tool}.",
    "{aX} waved to them. {Q} noticed the work clothing: {clothing}.",
    "{P} wanted to become {aX} and work at this place: {workplace}.",
  ],
  food: [
    "For lunch there was something with {X}, which tastes {taste}.",
    '{Q} had brought {X}. "It comes from {origin}", {Q} said.',
    "In the evening {P} made {dish} with {X}.",
  ],
  person: [
    "{P} was reading about {X}, who came from {homeland}.",
    "{Q} asked who {X} was. {X} was {aoccupation}, {P} said.",
    "On the wall hung a picture of {X}, born in {birthplace} and famous for {work}.",
  ],
  element: [
    "{P} explained that {X} is used for {use}.",
    "In the museum they saw {X}. It was {look}.",
    "{Q} knew the number of {X} by heart: {number}.",
  ],
  sport: [
    "In the afternoon they watched {X} and learned about {term}.",
    "{P} packed {gear} for {X}.",
    "{Q} wanted to try {X}, because it is about {aim}.",
  ],
  country: [
    "{P} told a story about {X}, where people speak {language}.",
    "A postcard from {capital}, the capital of {X}, showed {landmark}.",
    "{Q} dreamed of a trip to {X} in {continent}, and had already saved {currency}.",
  ],
};

export const storyEndings = [
  "When it grew dark they walked home and were happy.",
  "At night {P} wrote everything down, so that nothing would be forgotten.",
  '"What a day", said {Q}, and fell asleep at once.',
  "The next morning they told the whole class about it.",
] as const;

export const howTos: Record<string, readonly string[]> = {
  object: [
    "How to use {theX}",
    "Before you start, take {theX} from its place: {place}.",
    "Check {part} with care.",
    "Have {partner} ready.",
    "Now you can begin with {use}.",
    "Afterwards clean {theX}; it is made of {material}.",
  ],
  food: [
    "How to buy and use {X}",
    "{X} is {clue}.",
    "Choose pieces of a good color: {color}.",
    "Taste a little; it should be {taste}.",
    "With it you can make {dish}.",
    "Remember that it comes from {origin}.",
  ],
  job: [
    "How to become {aX}",
    "First spend a week with someone who {task}.",
    "Learn to handle {material}.",
    "Buy {tool} of your own.",
    "Get used to wearing {clothing}.",
    "Then ask for a post at a suitable place, such as {workplace}.",
  ],
};

/** Practice in asking and answering; `{question}` and `{answer}` are made from labels. */
export const dialogTurns = [
  "{P}: {question}\n{Q}: {answer}",
  "{P}: I have forgotten something. {question}\n{Q}: That is easy. {answer}",
  "{P}: {question}\n{Q}: Let me think. {answer}\n{P}: Thank you.",
] as const;

/** Multiple-choice pages about classes of things, in the same layout as every practice page. */
export const arithmeticTemplates = [
  "{a} plus {b} is {sum}.",
  "{sum} minus {a} is {b}.",
  "{a} times {b} is {product}.",
  "{product} divided by {b} is {a}.",
  "{P} has {a} apples and buys {b} more. Now {P} has {sum} apples.",
  "There are {sum} birds on a roof. {a} fly away. {b} birds are left.",
  "{a} boxes with {b} eggs each make {product} eggs.",
] as const;
