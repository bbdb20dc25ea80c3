/** The parts of Hugging Face's tokenizer.json that we read ourselves. The native library checks the rest when it loads it. */
import { z } from "zod";

export const addedTokenSchema = z.object({
  id: z.number().int().min(0),
  content: z.string().min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(true),
  special: z.boolean().default(false),
});

const component = z.looseObject({ type: z.string() });

export const bpeSchema = z.looseObject({
  type: z.literal("BPE").optional(),
  dropout: z.number().nullish(),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  fuse_unk: z.boolean().nullish(),
  byte_fallback: z.boolean().nullish(),
  ignore_merges: z.boolean().nullish(),
  vocab: z.record(z.string(), z.number().int().min(0)),
  merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
});

export const tokenizerJsonSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).default([]),
  normalizer: component.nullish(),
  pre_tokenizer: component.nullish(),
  post_processor: component.nullish(),
  decoder: component.nullish(),
  model: z.looseObject({ type: z.string().optional() }),
});

export type AddedToken = z.infer<typeof addedTokenSchema>;

/** A special token that matches its text exactly, wherever it stands. */
export function specialToken(id: number, content: string): AddedToken {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}
export type BpeJson = z.infer<typeof bpeSchema>;
export type Component = z.infer<typeof component>;
export type TokenizerJson = z.infer<typeof tokenizerJsonSchema>;
