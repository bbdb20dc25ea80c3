/** Encodes batches of texts on a thread of its own. One message in, one message out, in order. */
import { parentPort, workerData } from "node:worker_threads";
import { createTokenizer, type TokenizerParts } from "./tokenizer.ts";

export interface EncodeRequest {
  texts: string[];
}

export interface EncodeReply {
  /** Ids of all texts, end-of-document included, one after the other. */
  ids: Int32Array;
  /** Ids of each text. */
  lengths: Int32Array;
}

const { text, ...options } = workerData as TokenizerParts;
const tokenizer = createTokenizer(text, { ...options, where: "tokenize worker" });

parentPort!.on("message", ({ texts }: EncodeRequest) => {
  const encoded = texts.map((text) => tokenizer.encode(text));
  const lengths = Int32Array.from(encoded, (ids) => ids.length + 1);
  const ids = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const document of encoded) {
    ids.set(document, at);
    at += document.length;
    ids[at++] = tokenizer.endOfDocumentId;
  }
  parentPort!.postMessage({ ids, lengths } satisfies EncodeReply, [
    ids.buffer as ArrayBuffer,
    lengths.buffer as ArrayBuffer,
  ]);
});
