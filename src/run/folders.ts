/** Where things lie in a run directory (DESIGN format 5), relative to it. Written and read only through these. */
export const folders = {
  corpus: (name: string) => `corpus/${name}`,
  tokenizer: "tokenizer",
  /** Holds train.bin/.idx and, where the corpus has one, validation.bin/.idx. */
  tokens: (corpus: string) => `tokens/${corpus}`,
  /** Holds checkpoints/step-NNNNNNN, each of them a model directory. */
  training: (name: string) => `train/${name}`,
  /** Holds step-NNNNNNN: model directories whose accuracy is followed, without the trainer's state. */
  kept: (name: string) => `train/${name}/kept`,
  evaluation: (model: string, benchmark: string) => `eval/${model}/${benchmark}`,
  /** Accuracy by tokens seen: points.json, and the answers at each step. */
  curve: (model: string, benchmark: string) => `curve/${model}/${benchmark}`,
  /** Loss of a model on a corpus' held-out documents. */
  perplexity: (model: string, corpus: string) => `perplexity/${model}/${corpus}`,
  items: (model: string, benchmark: string) => `report/items/${model}.${benchmark}`,
};
