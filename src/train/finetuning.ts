/**
 * Finetuning examples in ChatML, learnt from the answer only.
 *
 *   <|im_start|>question\n … <|im_end|>\n      weight 0
 *   <|im_start|>answer\n … <|im_end|>\n        weight 1, header and end mark included
 *
 * An example longer than the window loses the beginning of its question (what is asked, and the options, stand at the end); its
 * answer is never cut: when that alone is too long, the example is left out and reported.
 *
 * @see Chen et al. 2023, MEDITRON-70B, arXiv:2311.16079; Megatron-LLM, preprocess_instruct_data.py
 */
import { ConfigError, writeFileAtomic } from "../core/index.ts";
import { CHATML_TOKENS, type Tokenizer } from "../tokens/index.ts";
import type { Example } from "./examples.ts";

export interface FinetuningMessages {
  id?: string;
  system?: string;
  question: string;
  answer: string;
}

export interface ChatRoles {
  system: string;
  question: string;
  answer: string;
}

/** The role names of the authors' code. */
export const DEFAULT_ROLES: ChatRoles = { system: "system", question: "question", answer: "answer" };

export interface FinetuningOptions {
  sequenceLength: number;
  roles?: ChatRoles;
  /** Loss weight of everything but the answer message (`scalar_loss_mask`). Default 0. */
  promptWeight?: number;
  /** Told each example that was left out: its answer alone does not fit. */
  onDropped?: (dropped: { index: number; id: string | undefined; answerTokens: number; room: number }) => void;
}

/**
 * Examples of at most sequenceLength + 1 tokens (the last is only a label).
 * @throws {ConfigError} TOKENIZER_NO_CHATML when the tokenizer would split the message marks.
 */
export function finetuningExamples(
  messages: readonly FinetuningMessages[],
  tokenizer: Tokenizer,
  options: FinetuningOptions,
): Example[] {
  const { sequenceLength, roles = DEFAULT_ROLES, promptWeight = 0, onDropped } = options;
  const missing = CHATML_TOKENS.filter((token) => tokenizer.idOf(token) === undefined);
  if (missing.length > 0)
    throw new ConfigError("TOKENIZER_NO_CHATML", {
      message: `the tokenizer has no ${missing.join(" and ")}`,
      where: "tokenizer",
      remedy: "load it with specialTokens: meditron-chat, and grow the model's vocabulary",
    });
  const encode = (role: string, content: string) => tokenizer.encode(`<|im_start|>${role}\n${content}<|im_end|>\n`);
  const examples: Example[] = [];
  for (const [index, { id, system, question, answer }] of messages.entries()) {
    const systemTokens = system === undefined ? [] : encode(roles.system, system);
    const questionTokens = encode(roles.question, question);
    const answerTokens = encode(roles.answer, answer);
    const header = tokenizer.encode(`<|im_start|>${roles.question}\n`);
    const room = sequenceLength + 1 - systemTokens.length - answerTokens.length;
    // A question cut down to nothing but its header asks nothing.
    if (room <= header.length) {
      onDropped?.({ index, id, answerTokens: answerTokens.length, room });
      continue;
    }
    const prompt = [...systemTokens, ...cutFromLeft(questionTokens, header, room)];
    examples.push({
      tokens: [...prompt, ...answerTokens],
      weights: [...prompt.map(() => promptWeight), ...answerTokens.map(() => 1)],
    });
  }
  return examples;
}

/** Keeps the message's header and as much of its end as there is room for. */
function cutFromLeft(tokens: number[], header: number[], room: number): number[] {
  if (tokens.length <= room) return tokens;
  return [...header, ...tokens.slice(tokens.length - (room - header.length))];
}

/** Writes examples as the JSON lines that a job's `data.examples` names. */
export async function writeExamples(path: string, examples: readonly Example[]): Promise<void> {
  await writeFileAtomic(path, examples.map((example) => `${JSON.stringify(example)}\n`).join(""));
}

/**
 * Optimizer steps of the authors' finetuning runs: ⌈epochs · N / batch / 10⌉ · 10.
 * @param examples - N, after dropping unusable ones.
 */
export function finetuningSteps(examples: number, options: { epochs?: number; globalBatchSize?: number } = {}): number {
  const { epochs = 3, globalBatchSize = 64 } = options;
  return Math.ceil((epochs * examples) / globalBatchSize / 10) * 10;
}
