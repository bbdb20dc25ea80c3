/**
 * MEDITRON's added tokens: spelling and order decide the ids, so they are written down once, here.
 * On Llama-2's 32,000 pieces they fall on 32000 … 32016, and ChatML's marks on 32017 and 32018.
 *
 * @see Chen et al. 2023, MEDITRON-70B, arXiv:2311.16079
 */

/** Added by the authors' tokenizer wrapper before any other. */
const WRAPPER_TOKENS = ["<CLS>", "<SEP>", "<EOD>", "<MASK>", "<PAD>"] as const;

/** Marks of citations, figures, tables and formulas in papers. */
const PAPER_TOKENS = [
  "[bib_ref]",
  "[/bib_ref]",
  "[fig_ref]",
  "[/fig_ref]",
  "[bib]",
  "[/bib]",
  "[fig]",
  "[/fig]",
  "[table]",
  "[/table]",
  "[formula]",
  "[/formula]",
] as const;

/** What continued pretraining adds to a base tokenizer, in order. */
export const MEDITRON_TOKENS: readonly string[] = [...WRAPPER_TOKENS, ...PAPER_TOKENS];
/** What finetuning adds behind them: message start and end. */
export const CHATML_TOKENS: readonly string[] = ["<|im_start|>", "<|im_end|>"];

/** Named sets for settings: nothing, pretraining, finetuning, or a list of one's own. */
export type SpecialTokens = "none" | "meditron" | "meditron-chat" | readonly string[];

export function specialTokenList(choice: SpecialTokens): readonly string[] {
  switch (choice) {
    case "none":
      return [];
    case "meditron":
      return MEDITRON_TOKENS;
    case "meditron-chat":
      return [...MEDITRON_TOKENS, ...CHATML_TOKENS];
    default:
      return choice;
  }
}
