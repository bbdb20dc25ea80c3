/** Damage for fuzz tests: what disks, networks and editors do to files. */
import type { RandomState } from "../core/random.ts";

export type Mutation = (bytes: Buffer, random: RandomState) => Buffer;
/** A place among `length`. */
export const at = (random: RandomState, length: number) => Math.floor(random.random() * length);
export const mutations: Record<string, Mutation> = {
  "a bit flipped": (bytes, random) => {
    const copy = Buffer.from(bytes);
    copy[at(random, copy.length)]! ^= 1 << at(random, 8);
    return copy;
  },
  "random bytes written over": (bytes, random) => {
    const copy = Buffer.from(bytes);
    for (let i = at(random, copy.length), n = 1 + at(random, 12); n > 0 && i < copy.length; n--, i++)
      copy[i] = at(random, 256);
    return copy;
  },
  "a piece removed": (bytes, random) => {
    const from = at(random, bytes.length);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(Math.min(bytes.length, from + 1 + at(random, 80)))]);
  },
  "a piece doubled": (bytes, random) => {
    const from = at(random, bytes.length);
    const to = Math.min(bytes.length, from + 1 + at(random, 80));
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  "markup thrown in": (bytes, random) => {
    const from = at(random, bytes.length);
    const pieces = [
      "<",
      ">",
      "&",
      "</",
      "<!--",
      "]]>",
      "<![CDATA[",
      "&bomb;",
      "\0",
      '"',
      "{",
      "}",
      "<!DOCTYPE x [",
      "\ufeff",
    ];
    return Buffer.concat([
      bytes.subarray(0, from),
      Buffer.from(pieces[at(random, pieces.length)]!),
      bytes.subarray(from),
    ]);
  },
};
