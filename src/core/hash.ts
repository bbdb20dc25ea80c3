/** Content hashes: the identity of documents, recipes and models. */
import { hash } from "node:crypto";

/** SHA-256 of bytes or UTF-8 text, in hex. */
export function sha256(data: Uint8Array | string): string {
  return hash("sha256", data, "hex");
}

/** JSON with object keys sorted and no spaces, so that equal values have equal text. `undefined` members are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    member !== null && typeof member === "object" && !Array.isArray(member) && !ArrayBuffer.isView(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : member,
  );
}

/** SHA-256 of the canonical JSON of a value. */
export function hashJson(value: unknown): string {
  return sha256(canonicalJson(value));
}

/**
 * A number in [0, 1) that depends on the key only: where a document falls in a split.
 * Adding documents moves none (52 bits of SHA-256, so ties do not occur in practice).
 */
export function hashFraction(key: string): number {
  return Number.parseInt(sha256(key).slice(0, 13), 16) / 2 ** 52;
}
