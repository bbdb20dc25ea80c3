/** Running text under construction: strings and references in order, single spaces where pieces meet. */
import type { Inline } from "./article.ts";

export class InlineBuilder {
  readonly items: Inline[] = [];
  #text = "";
  /** The piece that was added last: looking at the end of a growing string copies all of it. */
  #last = "";

  /** Adds clean text (`collapseSpace`); neighbouring strings become one. */
  add(text: string): void {
    const piece = text.charCodeAt(0) === 32 && this.endsWithSpace ? text.slice(1) : text;
    if (piece === "") return;
    this.#text = this.#text === "" ? piece : this.#text + piece;
    this.#last = piece;
  }

  push(item: Exclude<Inline, string>): void {
    this.#close();
    this.items.push(item);
  }

  addAll(items: readonly Inline[]): void {
    for (const item of items) {
      if (typeof item === "string") this.add(item);
      else this.push(item);
    }
  }

  finish(): Inline[] {
    this.#close();
    return this.items;
  }

  /** Text since the last reference. */
  get text(): string {
    return this.#text;
  }

  get endsWithSpace(): boolean {
    return this.#last.charCodeAt(this.#last.length - 1) === 32;
  }

  /** The last character of `text`, or "". */
  get lastCharacter(): string {
    return this.#last.slice(-1);
  }

  /** Replaces the white space at the end. */
  endWith(text: string): void {
    this.#text = this.#text.trimEnd() + text;
    this.#last = this.#text;
  }

  #close(): void {
    if (this.#text !== "") this.items.push(this.#text);
    this.#text = "";
    this.#last = "";
  }
}
