export { loadEmbedded } from "./embedded.ts";
export { type GgufSettings, loadGguf } from "./gguf.ts";
export type {
  Capabilities,
  GenerateRequest,
  Generation,
  LanguageModel,
  LogLikelihood,
  LogLikelihoodRequest,
  Sampling,
  TokenPosition,
} from "./language-model.ts";
export { type ModelConfig, modelConfigSchema, openModel } from "./open.ts";
export { connectEndpoint, type EndpointConfig, type EndpointModel, endpointConfigSchema } from "./openai-compatible.ts";
export { isMetered, type Usage } from "./usage.ts";
