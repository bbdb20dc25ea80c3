/** Types of the token plane. Ids are plain numbers below the vocabulary size; documents end with the end-of-document id. */

export interface Tokenizer {
  /** Ids 0..vocabSize-1 exist, added special tokens included. */
  readonly vocabSize: number;
  /** SHA-256 of tokenizer.json: the identity that token shards and models are checked against. */
  readonly sha256: string;
  /** Ends a document in training data and an answer in generation. */
  readonly endOfDocumentId: number;
  readonly endOfDocumentToken: string;
  /** Right padding in finetuning batches. */
  readonly padId: number;
  /** Exactly the ids of Hugging Face's `encode(text, add_special_tokens=False)`. Special tokens in the text are never split. */
  encode(text: string): number[];
  encodeBatch(texts: string[]): Promise<Int32Array[]>;
  decode(ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string;
  /** Id of one token, undefined when it is not in the vocabulary. */
  idOf(token: string): number | undefined;
  tokenOf(id: number): string | undefined;
  /** tokenizer.json and its companions, to stand in a model directory. `chatTemplate`: Jinja, in place of the one it has. */
  save(directory: string, options?: { chatTemplate?: string }): Promise<void>;
}

/** Random access to fixed-length training windows by global sample number: the whole data position of a run is one integer. */
export interface SampleSource {
  /** Samples available (epochs included). */
  readonly length: number;
  /** Tokens a sample carries as input; `sample()` returns one more, the label of the last position. */
  readonly sequenceLength: number;
  /** Window `index`. Shape [sequenceLength + 1]. */
  sample(index: number): Int32Array;
  /** Per-label loss weights [sequenceLength] of the same window, when not all are 1 (finetuning, padding). */
  weights?(index: number): Float32Array;
  /** Document ids per input position [sequenceLength], for masked packing. */
  documents?(index: number): Int32Array;
}
