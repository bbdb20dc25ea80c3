/** What a paid model has cost: requests, tokens, money. */

export interface Usage {
  requests: number;
  /** Requests sent again after a failure. */
  retries: number;
  promptTokens: number;
  completionTokens: number;
  /** In the currency of the prices given; undefined without prices. */
  cost?: number;
}

export interface Prices {
  perMillionPromptTokens: number;
  perMillionCompletionTokens: number;
}

/** A model that keeps accounts. */
export interface Metered {
  readonly usage: Usage;
}

export function isMetered(model: object): model is Metered {
  return "usage" in model;
}

export class Meter {
  #usage: Usage = { requests: 0, retries: 0, promptTokens: 0, completionTokens: 0 };
  readonly #prices: Prices | undefined;

  constructor(prices?: Prices) {
    this.#prices = prices;
  }

  add(part: Partial<Usage>): void {
    const sum = this.#usage;
    sum.requests += part.requests ?? 0;
    sum.retries += part.retries ?? 0;
    sum.promptTokens += part.promptTokens ?? 0;
    sum.completionTokens += part.completionTokens ?? 0;
  }

  get usage(): Usage {
    const { promptTokens, completionTokens } = this.#usage;
    if (!this.#prices) return { ...this.#usage };
    const { perMillionPromptTokens, perMillionCompletionTokens } = this.#prices;
    const cost = (promptTokens * perMillionPromptTokens + completionTokens * perMillionCompletionTokens) / 1e6;
    return { ...this.#usage, cost };
  }
}
