/** Where things lie in a run directory (DESIGN format 5), relative to it. Written and read only through these. */
export const folders = {
  corpus: (name: string) => `corpus/${name}`,
  tokenizer: "tokenizer",
  /** Holds train.bin/.idx and, where the corpus has one, validation.bin/.idx. */
  tokens: (corpus: string) => `tokens/${corpus}`,
  /** Holds checkpoints/step-NNNNNNN, each of them a model directory. */
  training: (name: string) => `train/${name}`,
  evaluation: (model: string, benchmark: string) => `eval/${model}/${benchmark}`,
  items: (model: string, benchmark: string) => `report/items/${model}.${benchmark}`,
};
