import { BudgetError, type Spending } from './endpoint-error.ts';

/** Tokens of a call, counted or estimated. */
export interface TokenCount {
  prompt: number;
  answer: number;
}

/** Per million tokens. */
export interface Prices {
  prompt: number;
  answer: number;
}

export interface BudgetLimits {
  tokens?: number | undefined;
  money?: number | undefined;
}

/** A call that may be made. Exactly one of its methods ends it. */
export interface Admission {
  /** @param estimated whether the endpoint did not report the tokens */
  charge(tokens: TokenCount, estimated: boolean): void;
  /** The call was not answered, and costs nothing. */
  release(): void;
}

const free: Prices = { prompt: 0, answer: 0 };

/** What tokens cost. */
export const costOf = ({ prompt, answer }: TokenCount, prices: Prices = free): number =>
  (prompt * prices.prompt + answer * prices.answer) / 1e6;

/**
 * Counts tokens and money, and admits a call only if it fits even with the longest reply. Calls
 * that do not fit wait for those in flight, which may turn out smaller. So spending ends at or
 * below the limits, as far as the estimate of the prompt's tokens is not too small.
 */
export class Budget {
  readonly #limits: BudgetLimits;
  readonly #prices: Prices;
  readonly #spent: Spending = {
    ...{ calls: 0, estimated: 0 },
    ...{ promptTokens: 0, answerTokens: 0, cost: 0 },
  };
  #inFlight = 0;
  #reservedTokens = 0;
  #reservedCost = 0;
  #changed = Promise.withResolvers<void>();

  constructor(limits: BudgetLimits = {}, prices: Prices = free) {
    this.#limits = limits;
    this.#prices = prices;
  }

  get spent(): Spending {
    return { ...this.#spent };
  }

  /**
   * Waits until the call is certain to fit.
   * @param most the most tokens that it can use
   * @throws BudgetError if it does not fit
   * @throws the signal's reason once it is aborted
   */
  async admit(most: TokenCount, signal?: AbortSignal): Promise<Admission> {
    const tokens = most.prompt + most.answer;
    const cost = costOf(most, this.#prices);
    while (!this.#fits(tokens, cost)) {
      if (this.#inFlight === 0) throw this.#exhausted();
      await this.#change(signal);
    }
    this.#inFlight += 1;
    this.#reservedTokens += tokens;
    this.#reservedCost += cost;
    const release = (): void => {
      this.#inFlight -= 1;
      this.#reservedTokens -= tokens;
      // Exactly 0 at rest: sums of fractions do not cancel.
      this.#reservedCost = this.#inFlight === 0 ? 0 : this.#reservedCost - cost;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    };
    const charge = (used: TokenCount, estimated: boolean): void => {
      this.#spent.calls += 1;
      if (estimated) this.#spent.estimated += 1;
      this.#spent.promptTokens += used.prompt;
      this.#spent.answerTokens += used.answer;
      this.#spent.cost += costOf(used, this.#prices);
      release();
    };
    return { charge, release };
  }

  #fits(tokens: number, cost: number): boolean {
    const { tokens: mostTokens = Infinity, money = Infinity } = this.#limits;
    const { promptTokens, answerTokens, cost: spent } = this.#spent;
    return (
      promptTokens + answerTokens + this.#reservedTokens + tokens <= mostTokens &&
      spent + this.#reservedCost + cost <= money * (1 + 1e-9)
    );
  }

  async #change(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.#changed.promise, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #exhausted(): BudgetError {
    const { tokens, money } = this.#limits;
    const { calls, promptTokens, answerTokens, cost } = this.#spent;
    const used = promptTokens + answerTokens;
    const parts = [
      ...(tokens === undefined ? [] : [`${used} of ${tokens} tokens`]),
      ...(money === undefined ? [] : [`${cost.toFixed(4)} of ${money} in money`]),
    ];
    return new BudgetError(
      `the budget allows no more calls: ${calls} calls used ${parts.join(' and ')}. Raise "budget" and repeat the command: cached verdicts cost nothing`,
      this.spent,
    );
  }
}
