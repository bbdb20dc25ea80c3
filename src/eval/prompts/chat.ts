/**
 * Chat templates: what stands around a question for a model that was finetuned on messages.
 *
 * `chatml` is the layout of our own finetuning (SPEC 1f; roles question and answer, selectable); the others are those of the
 * paper's baselines. `none` is for base models: the prompt as it is.
 */

export const chatTemplates = ["none", "chatml", "chatml-assistant", "med42", "medical-chat"] as const;
export type ChatTemplate = (typeof chatTemplates)[number];

export interface ChatMlRoles {
  question: string;
  answer: string;
}
export const meditronRoles: ChatMlRoles = { question: "question", answer: "answer" };

/** The templates that finetuning can teach, with the role names of their messages. */
export const chatMlRoles = {
  chatml: meditronRoles,
  "chatml-assistant": { question: "user", answer: "assistant" },
} as const satisfies Record<string, ChatMlRoles>;

/** One ChatML message, end mark and newline included. */
export function chatMlMessage(role: string, content: string): string {
  return `<|im_start|>${role}\n${content}<|im_end|>\n`;
}

/** The question as a whole message and the answer message opened. */
export function chatMlPrompt(question: string, roles: ChatMlRoles = meditronRoles, system?: string): string {
  const opening = system === undefined ? "" : chatMlMessage("system", system);
  return `${opening}${chatMlMessage(roles.question, question)}<|im_start|>${roles.answer}\n`;
}

/**
 * `chatMlPrompt` as Hugging Face's chat template (Jinja), for tokenizer_config.json: what serves the model asks it as it was taught.
 * Messages come with the roles of chat services, user and assistant. A conversation that brings no system message gets the
 * one that was trained with.
 */
export function chatMlTemplate(roles: ChatMlRoles = meditronRoles, system?: string): string {
  const opening = system === undefined ? "" : systemOpening(system);
  const renamed = `{% if message['role'] == 'user' %}${roles.question}{% elif message['role'] == 'assistant' %}${roles.answer}{% else %}{{ message['role'] }}{% endif %}`;
  // One line: loaders differ in what they do with a newline after a tag, so every newline is an expression.
  return `${opening}{% for message in messages %}<|im_start|>${renamed}{{ '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}<|im_start|>${roles.answer}{{ '\n' }}{% endif %}`;
}

const [beforeSystem, afterSystem] = ["{% if messages[0]['role'] != 'system' %}{{ ", " }}{% endif %}"];
const systemOpening = (system: string) => beforeSystem + JSON.stringify(chatMlMessage("system", system)) + afterSystem;

/** How a model was taught to be asked, read off the template that its finetuning left; undefined for any other template. */
export function taughtChat(template: string): { chat: keyof typeof chatMlRoles; system?: string } | undefined {
  for (const chat of Object.keys(chatMlRoles) as (keyof typeof chatMlRoles)[]) {
    const turns = chatMlTemplate(chatMlRoles[chat]);
    if (!template.endsWith(turns)) continue;
    const opening = template.slice(0, -turns.length);
    if (opening === "") return { chat };
    if (!opening.startsWith(beforeSystem) || !opening.endsWith(afterSystem)) continue;
    const message = JSON.parse(opening.slice(beforeSystem.length, -afterSystem.length)) as string;
    return { chat, system: message.slice(chatMlMessage("system", "").indexOf("<|im_end|>"), -"<|im_end|>\n".length) };
  }
  return undefined;
}

/** @param prompt - Without a final newline. @param system - Opens a ChatML prompt; the other templates have their own. */
export function applyChatTemplate(template: ChatTemplate, prompt: string, system?: string): string {
  switch (template) {
    case "none":
      return prompt;
    case "chatml":
    case "chatml-assistant":
      return chatMlPrompt(prompt, chatMlRoles[template], system);
    case "med42":
      return `\n<|system|>: You are a helpful medical assistant.\n<|prompter|>:${prompt}\n<|assistant|>:`;
    case "medical-chat":
      return `### User: ${prompt}\n### Assistant:`;
  }
}

/** Texts that end an answer under a template. */
export function stopsOf(template: ChatTemplate): string[] {
  switch (template) {
    case "none":
      return [];
    case "chatml":
    case "chatml-assistant":
      return ["<|im_end|>", "<|im_start|>"];
    case "med42":
      return ["<|prompter|>", "<|system|>"];
    case "medical-chat":
      return ["### User", "### Assistant", "User:"];
  }
}
