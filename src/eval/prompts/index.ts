export {
  applyChatTemplate,
  type ChatTemplate,
  chatMlMessage,
  chatMlPrompt,
  chatMlRoles,
  chatMlTemplate,
  chatTemplates,
  stopsOf,
  taughtChat,
} from "./chat.ts";
export { demonstrationsFor, paperSeeds } from "./demonstrations.ts";
export {
  answerMessage,
  type FinetuningMessages,
  finetuningMessages,
  questionMessage,
} from "./finetuning.ts";
export { type FittedPrompt, fitPrompt } from "./fit.ts";
export { buildPrompt, type Prompt, type PromptFormat, type PromptSettings, promptFormats } from "./prompt.ts";
export {
  type AnswerStyle,
  answerStyle,
  answerStyles,
  cuePlaces,
  optionsShown,
  type QuestionStyle,
  writtenAnswer,
} from "./style.ts";
