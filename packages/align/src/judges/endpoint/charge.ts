import type { Admission, TokenCount } from './budget.ts';
import type { Completion } from './completion.ts';

/** Tokens of a text, rather too many than too few: English has about 4 bytes in each. */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 3);

/** What one call is charged, with its repetitions. */
export class Charge {
  readonly #admission: Admission;
  readonly #prompt: number;
  #tokens: TokenCount = { prompt: 0, answer: 0 };
  #estimated = false;

  /** @param prompt tokens of the prompt, estimated */
  constructor(admission: Admission, prompt: number) {
    this.#admission = admission;
    this.#prompt = prompt;
  }

  /** No answer arrived, but the endpoint may have read the prompt and charge for it. */
  lost(): void {
    this.#estimated = true;
    this.#tokens.prompt += this.#prompt;
  }

  answered({ usage, estimated }: Pick<Completion, 'usage' | 'estimated'>): void {
    this.#estimated ||= estimated;
    this.#tokens.prompt += usage.prompt;
    this.#tokens.answer += usage.answer;
  }

  /** Tells the budget. */
  end(): void {
    const { prompt, answer } = this.#tokens;
    if (prompt + answer === 0) this.#admission.release();
    else this.#admission.charge(this.#tokens, this.#estimated);
  }
}
