/**
 * A Hugging Face `config.json` of the Llama family, read strictly: every field is understood, known to be harmless, or an error.
 * Silently ignoring one (a rope scaling, a bias, a window) would train a different model than the file describes.
 *
 * | family  | q,k,v bias | o bias | q/k norm | window                                  |
 * |---------|------------|--------|----------|-----------------------------------------|
 * | llama   | attention_bias      | same | no  | none                                    |
 * | mistral | no         | no     | no       | sliding_window on every layer           |
 * | qwen2   | yes        | no     | no       | layers from max_window_layers, if asked |
 * | qwen3   | attention_bias      | same | yes | as qwen2                                |
 */
import { join } from "node:path";
import { ConfigError, readJson } from "../core/index.ts";

export type Family = "llama" | "mistral" | "qwen2" | "qwen3";

/** How positions turn into angles. `llama3` blends slow frequencies by `factor` (Llama 3.1); `linear` divides all of them. */
export type RopeScaling =
  | { type: "default" }
  | { type: "linear"; factor: number }
  | { type: "llama3"; factor: number; lowFreqFactor: number; highFreqFactor: number; originalContextTokens: number };

export interface ModelConfig {
  family: Family;
  vocabSize: number;
  channels: number;
  layers: number;
  heads: number;
  kvHeads: number;
  headSize: number;
  features: number;
  contextTokens: number;
  normEpsilon: number;
  initializerRange: number;
  ropeTheta: number;
  ropeScaling: RopeScaling;
  qkvBias: boolean;
  outputBias: boolean;
  mlpBias: boolean;
  headNorm: boolean;
  tiedHead: boolean;
  /** Sliding window of each layer in tokens; undefined sees everything before it. */
  windows: (number | undefined)[];
  endOfTextIds: number[];
  /** The file as it was, so that saving writes back every field. */
  json: Record<string, unknown>;
}

/** Fields that change nothing we compute. `dtype` is the storage of the file beside it, which says so itself. */
const HARMLESS = new Set([
  "_name_or_path",
  "architectures",
  "attn_implementation",
  "bos_token_id",
  "dtype",
  "eos_token_id",
  "model_type",
  "output_attentions",
  "output_hidden_states",
  "pad_token_id",
  "pretraining_tp",
  "return_dict",
  "torch_dtype",
  "transformers_version",
  "use_cache",
]);

/** @throws {ConfigError} MODEL_CONFIG naming every field that is missing, wrong, unknown or unsupported. */
export async function loadConfig(directory: string): Promise<ModelConfig> {
  const path = join(directory, "config.json");
  return parseConfig(await readJson(path), path);
}

/** The equations of a `config.json`. @param where - file name for the error. @throws {ConfigError} as `loadConfig`. */
export function parseConfig(value: unknown, where = "config.json"): ModelConfig {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError("MODEL_CONFIG", {
      message: "not a JSON object",
      where,
      remedy: "give the config.json of a Hugging Face model",
    });
  }
  const json = value as Record<string, unknown>;
  const fields = new Fields(json);
  const family = fields.oneOf("model_type", ["llama", "mistral", "qwen2", "qwen3"]) as Family;
  const qwen = family === "qwen2" || family === "qwen3";

  const channels = fields.count("hidden_size");
  const heads = fields.count("num_attention_heads");
  const layers = fields.count("num_hidden_layers");
  // Defaults are transformers' own; where they differ by family in a way that changes shapes, the field must be there.
  const kvHeads = fields.nullable("num_key_value_heads")
    ? heads
    : fields.count("num_key_value_heads", family === "llama" ? heads : undefined);
  const headSize = fields.nullable("head_dim")
    ? channels / heads
    : fields.count("head_dim", family === "qwen3" ? 128 : channels / heads);
  const attentionBias = family === "llama" || family === "qwen3" ? fields.flag("attention_bias", false) : false;
  fields.only("hidden_act", "silu", "silu");
  fields.only("attention_dropout", 0, 0);
  fields.only("rope_interleaved", false, false);
  fields.only("use_mrope", false, false);
  const contextTokens = fields.count("max_position_embeddings", family === "llama" ? 2048 : 32768);

  const config: ModelConfig = {
    family,
    vocabSize: fields.count("vocab_size"),
    channels,
    layers,
    heads,
    kvHeads,
    headSize,
    features: fields.count("intermediate_size"),
    contextTokens,
    normEpsilon: fields.number("rms_norm_eps", 1e-6),
    initializerRange: fields.number("initializer_range", 0.02),
    ...rope(fields, contextTokens),
    qkvBias: family === "qwen2" || attentionBias,
    outputBias: attentionBias,
    mlpBias: family === "llama" ? fields.flag("mlp_bias", false) : false,
    headNorm: family === "qwen3",
    tiedHead: fields.flag("tie_word_embeddings", false),
    windows: windows(fields, family, qwen, layers),
    endOfTextIds: [json.eos_token_id ?? []].flat().filter((id): id is number => typeof id === "number"),
    json,
  };
  fields.check(
    heads % kvHeads === 0,
    `num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`,
  );
  fields.check(Number.isInteger(headSize), `hidden_size ${channels} is not a multiple of num_attention_heads ${heads}`);
  fields.check(headSize % 2 === 0, `head_dim ${headSize} is odd: rotary embeddings turn pairs`);
  fields.finish(where);
  return config;
}

/** The config.json to save: as read, with what the model changed since. */
export function configJson(config: ModelConfig, dtype: "float32" | "bfloat16" | "float16"): Record<string, unknown> {
  const key = "torch_dtype" in config.json && !("dtype" in config.json) ? "torch_dtype" : "dtype";
  return { ...config.json, vocab_size: config.vocabSize, [key]: dtype };
}

function windows(fields: Fields, family: Family, qwen: boolean, layers: number): (number | undefined)[] {
  if (family === "mistral") {
    const window = fields.nullable("sliding_window") ? undefined : fields.count("sliding_window", 4096);
    return Array(layers).fill(window);
  }
  if (!qwen) return Array(layers).fill(undefined);
  const asked = fields.flag("use_sliding_window", false);
  const window = fields.nullable("sliding_window") ? undefined : fields.count("sliding_window", 4096);
  const first = fields.number("max_window_layers", 28);
  const types = fields.nullable("layer_types") ? undefined : fields.list("layer_types");
  fields.check(!types || types.length === layers, `layer_types has ${types?.length} entries for ${layers} layers`);
  return Array.from({ length: layers }, (_, layer) => {
    const type = types?.[layer] ?? (asked && layer >= first ? "sliding_attention" : "full_attention");
    fields.check(
      type === "full_attention" || type === "sliding_attention",
      `layer_types has unsupported ${JSON.stringify(type)}`,
    );
    return asked && type === "sliding_attention" ? window : undefined;
  });
}

/** transformers 5 writes one `rope_parameters`; before, `rope_theta` stood alone and `rope_scaling` beside it. */
function rope(fields: Fields, contextTokens: number): Pick<ModelConfig, "ropeTheta" | "ropeScaling"> {
  const topTheta = fields.number("rope_theta", 10_000);
  fields.only("partial_rotary_factor", 1, 1);
  const scaling = fields.nullable("rope_scaling") ? undefined : fields.object("rope_scaling");
  const parameters = fields.nullable("rope_parameters") ? undefined : fields.object("rope_parameters");
  const inner = new Fields(scaling ?? parameters ?? {}, scaling ? "rope_scaling." : "rope_parameters.");
  const ropeTheta = inner.number("rope_theta", topTheta);
  inner.only("partial_rotary_factor", 1, 1);
  const older = inner.oneOf("type", ["default", "linear", "llama3"], "default");
  const type = inner.oneOf("rope_type", ["default", "linear", "llama3"], older);
  const ropeScaling: RopeScaling =
    type === "linear"
      ? { type, factor: inner.number("factor") }
      : type === "llama3"
        ? {
            type,
            factor: inner.number("factor"),
            lowFreqFactor: inner.number("low_freq_factor"),
            highFreqFactor: inner.number("high_freq_factor"),
            originalContextTokens: inner.number("original_max_position_embeddings", contextTokens),
          }
        : { type: "default" };
  fields.adopt(inner);
  return { ropeTheta, ropeScaling };
}

/** Reads fields one by one, remembers which were asked for, and reports every problem at once. */
class Fields {
  #json: Record<string, unknown>;
  #prefix: string;
  #known = new Set<string>();
  #problems: string[] = [];

  constructor(json: Record<string, unknown>, prefix = "") {
    this.#json = json;
    this.#prefix = prefix;
  }

  #take<T>(key: string, expected: string, fits: (value: unknown) => boolean, fallback: T | undefined): T {
    this.#known.add(key);
    const value = this.#json[key];
    if (value === undefined && fallback !== undefined) return fallback;
    if (!fits(value)) {
      const got = value === undefined ? "it is missing" : `got ${JSON.stringify(value)}`;
      this.#problems.push(`${this.#prefix}${key} must be ${expected}; ${got}`);
    }
    return value as T;
  }

  count(key: string, fallback?: number): number {
    return this.#take(key, "a positive integer", (v) => Number.isSafeInteger(v) && (v as number) > 0, fallback);
  }
  number(key: string, fallback?: number): number {
    return this.#take(key, "a number of at least 0", (v) => typeof v === "number" && v >= 0, fallback);
  }
  flag(key: string, fallback: boolean): boolean {
    return this.#take(key, "true or false", (v) => typeof v === "boolean", fallback);
  }
  oneOf<T extends string>(key: string, values: T[], fallback?: T): T {
    return this.#take(
      key,
      `one of ${values.join(", ")} (others are not supported)`,
      (v) => values.includes(v as T),
      fallback,
    );
  }
  only(key: string, value: number | boolean | string, fallback: number | boolean | string): void {
    this.#take(key, `${JSON.stringify(value)} (nothing else is supported)`, (v) => v === value || v === null, fallback);
  }
  list(key: string): unknown[] | undefined {
    const value = this.#take<unknown>(key, "a list", (v) => v === undefined || Array.isArray(v), undefined);
    return Array.isArray(value) ? value : undefined;
  }
  object(key: string): Record<string, unknown> | undefined {
    const fits = (v: unknown) => v === undefined || (typeof v === "object" && v !== null && !Array.isArray(v));
    const value = this.#take<unknown>(key, "an object", fits, undefined);
    return fits(value) ? (value as Record<string, unknown> | undefined) : undefined;
  }
  /** Whether the field is there and null. */
  nullable(key: string): boolean {
    this.#known.add(key);
    return this.#json[key] === null;
  }
  check(fits: boolean, problem: string): void {
    // A field already reported makes derived checks fail too (NaN); saying it once is enough.
    if (!fits && this.#problems.length === 0) this.#problems.push(problem);
  }
  #all(): string[] {
    // Members of an unsupported kind of object are no news beside the kind itself.
    if (this.#prefix && this.#problems.length > 0) return this.#problems;
    const unknown = Object.keys(this.#json).filter(
      (key) => !this.#known.has(key) && (this.#prefix || !HARMLESS.has(key)),
    );
    return [...this.#problems, ...unknown.map((key) => `${this.#prefix}${key} is not a field that this engine knows`)];
  }
  adopt(inner: Fields): void {
    this.#problems.push(...inner.#all());
  }
  /** @throws {ConfigError} if anything was wrong. */
  finish(where: string): void {
    const problems = this.#all();
    if (problems.length === 0) return;
    throw new ConfigError("MODEL_CONFIG", {
      message: problems.join("; "),
      where,
      remedy: "use a Llama, Mistral, Qwen2 or Qwen3 model; remove a field only if you know that it changes nothing",
      fields: { problems },
    });
  }
}
