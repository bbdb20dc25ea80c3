import { Template } from "@huggingface/jinja";
import { describe, expect, test } from "vitest";
import { NgramModel } from "../../../test/support/ngram-model.ts";
import { type Benchmark, type Item, makeBenchmark, makeSplit } from "../benchmarks/benchmark.ts";
import { yesNoMaybe } from "../benchmarks/pubmedqa.ts";
import { chatMlMessage, chatMlPrompt, chatMlRoles, chatMlTemplate, taughtChat } from "./chat.ts";
import type { FinetuningOptions } from "./finetuning.ts";
import { answerMessage, demonstrationsFor, fitPrompt, questionMessage } from "./index.ts";
import { buildPrompt, type PromptSettings } from "./prompt.ts";

const item: Item = {
  id: "1",
  question: "A patient coughs. Which drug helps",
  options: [
    { letter: "A", text: "codeine" },
    { letter: "B", text: "insulin" },
  ],
  answer: "A",
  explanation: "It calms the cough.",
  subject: "clinical_knowledge",
  meta: {},
};
const study: Item = {
  id: "2",
  question: "Does it help?",
  options: yesNoMaybe,
  answer: "C",
  context: "Background text.\nResults text.",
  meta: {},
};
function set(type: string, items: Item[], facts: Partial<Benchmark> = {}): Benchmark {
  return makeBenchmark(
    {
      name: "t",
      type,
      family: type === "pubmedqa" ? "pubmedqa" : "medqa",
      answerForm: type === "pubmedqa" ? "word" : "letter",
      metric: "accuracy",
      license: "CC0-1.0",
      homepage: "",
      evaluationSplit: "test",
      instruction: "INSTRUCTION",
      ...(facts as object),
    },
    { test: makeSplit(items, []), train: makeSplit(items, []) },
  );
}
const plain: PromptSettings = { format: "meditron", chat: "none", chainOfThought: false };

test("the paper's prompt, direct and reasoned, zero and one shot", () => {
  const medqa = set("medqa", [item]);
  const body = "Question: A patient coughs. Which drug helps?\n\nOptions:\nA. codeine\nB. insulin";
  expect(buildPrompt(medqa, item, [], plain)).toEqual({
    text: `INSTRUCTION\n${body}\nThe answer is:`,
    cue: "The answer is:",
    answerPrefix: " ",
  });
  expect(buildPrompt(medqa, item, [item], plain).text).toBe(
    `INSTRUCTION\n${body}\nThe answer is: A\n\n${body}\nThe answer is:`,
  );
  const reasoned = { ...plain, chainOfThought: true };
  expect(buildPrompt(medqa, item, [item], reasoned).text).toBe(
    `INSTRUCTION\n${body}\nIt calms the cough.\nThe answer is: A\n\n${body}\nLet's think step by step.\n`,
  );
  expect(buildPrompt(set("pubmedqa", [study]), study, [study], plain).text).toBe(
    "INSTRUCTION\nBackground text.\nResults text.\nDoes it help?\nThe answer is: maybe\n\nBackground text.\nResults text.\nDoes it help?\nThe answer is:",
  );
});

test("cloze form: no options, answers and demonstrations by their text, and an instruction that speaks of no letters", () => {
  const cloze: PromptSettings = { ...plain, options: "hidden" };
  const body = "Question: A patient coughs. Which drug helps?";
  expect(buildPrompt(set("medqa", [item]), item, [item], cloze)).toEqual({
    text: `INSTRUCTION\n${body}\nThe answer is: codeine\n\n${body}\nThe answer is:`,
    cue: "The answer is:",
    answerPrefix: " ",
  });
  const { instruction: _, ...medqa } = set("medqa", [item]);
  expect(buildPrompt(medqa, item, [], cloze).text).toMatch(/guidelines, give the one best answer\.\nQuestion:/);
  expect(buildPrompt(medqa, item, [], { ...cloze, format: "lm-eval" }).text).toBe(
    "Question: A patient coughs. Which drug helps\nAnswer:",
  );
  expect(buildPrompt(medqa, item, [], { ...plain, answer: "letter-and-text" }).text).toContain(
    "choose the one best answer from A to B, and write its letter and text.",
  );
});

test("finetuning targets by style, and the prompt that asks for them", () => {
  const medqa = set("medqa", [item]);
  const target = (options: FinetuningOptions) => answerMessage(medqa, item, options);
  expect(target({ answer: "text" })).toBe("codeine");
  expect(target({ answer: "letter-and-text" })).toBe("A. codeine");
  expect(target({ options: "hidden" })).toBe("codeine");
  expect(target({ options: "hidden", chainOfThought: true })).toBe("It calms the cough.\nThe answer is: codeine ###");
  for (const style of [{ options: "hidden" }, { answer: "text" }] as const) {
    const asked = buildPrompt(medqa, item, [], { ...plain, ...style, chat: "chatml" });
    expect(asked.text).toBe(`${chatMlMessage("question", questionMessage(medqa, item, style))}<|im_start|>answer\n`);
    expect(asked.cue).toBe(`${chatMlMessage("question", "The answer is:")}<|im_start|>answer\n`);
  }
});

test("the instruction names the letters an item really has", () => {
  const { instruction: _, ...medqa } = set("medqa", [item]);
  expect(buildPrompt(medqa, item, [], plain).text).toContain("from A to B.");
  const { instruction: __, ...pubmedqa } = set("pubmedqa", [study]);
  expect(buildPrompt(pubmedqa, study, [], plain).text).toContain("yes, no or maybe");
});

// As lm_eval/tasks lays them out; the benchmark `eval` compares with the harness itself, byte for byte.
test("the harness's formats", () => {
  const harness: PromptSettings = { ...plain, format: "lm-eval" };
  const of = (type: string, one: Item) => buildPrompt(set(type, [one]), one, [], harness).text;
  expect(of("mmlu", item)).toBe(
    "The following are multiple choice questions (with answers) about clinical knowledge.\n\nA patient coughs. Which drug helps\nA. codeine\nB. insulin\nAnswer:",
  );
  expect(of("medqa", item)).toBe("Question: A patient coughs. Which drug helps\nA. codeine\nB. insulin\nAnswer:");
  expect(of("medmcqa", item)).toBe(
    "Question: A patient coughs. Which drug helps\nChoices:\nA. codeine\nB. insulin\nAnswer:",
  );
  expect(of("pubmedqa", study)).toBe("Abstract: Background text.\nResults text.\nQuestion: Does it help?\nAnswer:");
});

test("a finetuned model is asked in the very bytes it was trained on", () => {
  for (const [benchmark, one] of [
    [set("medqa", [item]), item],
    [set("pubmedqa", [study]), study],
  ] as const)
    for (const chainOfThought of [false, true]) {
      const asked = buildPrompt(benchmark, one, [], { format: "meditron", chat: "chatml", chainOfThought });
      const trained = chatMlMessage("question", questionMessage(benchmark, one, { chainOfThought }));
      expect(asked.text).toBe(`${trained}<|im_start|>answer\n`);
      const taught = `${trained}${chatMlMessage("answer", answerMessage(benchmark, one, { chainOfThought }))}`;
      expect(taught.startsWith(`${asked.text}${asked.answerPrefix}`)).toBe(true);
      expect(asked.answerPrefix).toBe("");
    }
  // where the answer begins with the cue, the prompt ends in it, as that of a model that has only read text
  for (const style of [{}, { options: "hidden" }] as const) {
    const learnt = { ...style, cue: "answer" } as const;
    const medqa = set("medqa", [item]);
    const asked = buildPrompt(medqa, item, [], {
      format: "meditron",
      chat: "chatml",
      chainOfThought: false,
      ...learnt,
    });
    const trained = chatMlMessage("question", questionMessage(medqa, item, learnt));
    expect(trained).not.toContain("The answer is:");
    const answer = answerMessage(medqa, item, learnt);
    expect(answer).toBe(style.options === "hidden" ? "The answer is: codeine" : "The answer is: A");
    expect(`${asked.text}${asked.answerPrefix}`).toBe(`${trained}<|im_start|>answer\nThe answer is: `);
    expect(`${trained}${chatMlMessage("answer", answer)}`.startsWith(`${asked.text}${asked.answerPrefix}`)).toBe(true);
    // a chain of thought is asked for, and learnt, as it always is
    const reasoned = { ...learnt, chainOfThought: true };
    expect(questionMessage(medqa, item, reasoned)).toBe(
      questionMessage(medqa, item, { ...style, chainOfThought: true }),
    );
  }
  expect(answerMessage(set("medqa", [item]), item)).toBe("A");
  expect(answerMessage(set("medqa", [item]), item, { chainOfThought: true })).toBe(
    "It calms the cough.\nThe answer is: A ###",
  );
  expect(answerMessage(set("pubmedqa", [study]), study)).toBe("maybe");
});

test("the chat template of a finetuned model renders the bytes it was trained on", () => {
  // What Jinja and JSON have opinions on: quotes, backslashes, tags, newlines at the ends.
  const odd = " 2 \"%\" {{ x }} {% if %} 'it\\n' <b>\n\nÄ?\n";
  const question = { role: "user", content: odd };
  const rendered = (template: string, messages: object[], add_generation_prompt = true) =>
    new Template(template).render({ messages, add_generation_prompt });
  for (const [chat, roles] of Object.entries(chatMlRoles)) {
    const plainTemplate = chatMlTemplate(roles);
    expect(rendered(plainTemplate, [question])).toBe(chatMlPrompt(odd, roles));
    expect(rendered(plainTemplate, [{ role: "system", content: odd }, question])).toBe(chatMlPrompt(odd, roles, odd));
    const taught = chatMlTemplate(roles, odd);
    expect(rendered(taught, [question])).toBe(chatMlPrompt(odd, roles, odd));
    // A system message of the conversation takes the place of the one trained with.
    expect(rendered(taught, [{ role: "system", content: "Be brief." }, question])).toBe(
      chatMlPrompt(odd, roles, "Be brief."),
    );
    // Read back, so that `meditron eval` asks a checkpoint as it was taught.
    expect(taughtChat(plainTemplate)).toEqual({ chat });
    expect(taughtChat(taught)).toEqual({ chat, system: odd });
    expect(taughtChat(`${plainTemplate}{# another #}`)).toBeUndefined();
    const turns = [question, { role: "assistant", content: "B" }];
    expect(rendered(plainTemplate, turns, false)).toBe(
      chatMlMessage(roles.question, odd) + chatMlMessage(roles.answer, "B"),
    );
  }
});

describe("prompts that fit the context", () => {
  const { tokenizer } = new NgramModel("x"); // one token a character
  const long: Item = { ...study, context: `${"Old words. ".repeat(50)}RESULTS.` };
  const benchmark = set("pubmedqa", [long]);
  const shorten = (budget: number, demonstrations: Item[] = []) =>
    fitPrompt(benchmark, long, demonstrations, plain, tokenizer, budget);
  test("whole where it fits", () => expect(shorten(2000).truncated).toBeUndefined());
  test("demonstrations go first", () => {
    const fitted = shorten(700, [study, study, study]);
    expect(fitted.truncated).toMatchObject({ demonstrations: 2, contextCharacters: 0 });
    expect(fitted.promptTokens).toBeLessThanOrEqual(700);
  });
  test("then the beginning of the context, never the question", () => {
    const fitted = shorten(120);
    expect(fitted.text).toMatch(/Old words\. RESULTS\.\nDoes it help\?\nThe answer is:$/);
    expect(fitted.promptTokens).toBe(120);
  });
  test("what cannot fit is refused with the item's id", () => {
    expect(() => shorten(10)).toThrow(expect.objectContaining({ code: "EVAL_PROMPT_TOO_LONG", where: "t, item 2" }));
  });
});

test("demonstrations: too few are refused, reasoned ones need explanations", () => {
  const options = { format: "meditron", chainOfThought: false } as const;
  expect(() => demonstrationsFor(set("medqa", [item]), 3, 1234, options)).toThrow(
    expect.objectContaining({ code: "EVAL_NO_DEMONSTRATIONS" }),
  );
  expect(() => demonstrationsFor(set("pubmedqa", [study]), 1, 1, { ...options, chainOfThought: true })).toThrow(
    "1 shots need as many train items with explanations",
  );
  // Demonstrations from the scored split: an item never sees its own answer.
  const items = Array.from({ length: 4 }, (_, i) => ({ ...item, id: `i${i}` }));
  const same = set("medqa", items, { demonstrationSplit: "test" } as never);
  const shown = demonstrationsFor(same, 3, 1234, options);
  for (const one of items) {
    expect(shown(one).length).toBe(3);
    expect(shown(one).map(({ id }) => id)).not.toContain(one.id);
  }
});
