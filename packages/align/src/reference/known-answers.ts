// Log-probabilities of answers under one model, found again by what they are of: prompt, answer,
// and what of it is scored.
import { createHash } from 'node:crypto';
import type { PromptedAnswer } from '../batching/pack-answers.ts';

/** Bytes of an answer's key. */
const KEY = 16;

/** log p(answer | prompt) by content, wherever the answer stands. */
export class KnownAnswers {
  readonly #known = new Map<string, number>();

  get size(): number {
    return this.#known.size;
  }

  /** undefined where it is not known */
  get(answer: PromptedAnswer): number | undefined {
    return this.#known.get(keyOf(answer));
  }

  /** Of all of these; undefined where one is not known. */
  all(answers: readonly PromptedAnswer[]): number[] | undefined {
    const found: number[] = [];
    for (const answer of answers) {
      const value = this.get(answer);
      if (value === undefined) return undefined;
      found.push(value);
    }
    return found;
  }

  /** Keeps one. What is known stays as it is, and what is not finite is not kept. */
  add(answer: PromptedAnswer, value: number): void {
    const key = keyOf(answer);
    if (Number.isFinite(value) && !this.#known.has(key)) this.#known.set(key, value);
  }

  /** All of them: keys [16n] and values [n]. */
  entries(): { keys: Uint8Array; values: Float64Array } {
    const keys = [...this.#known.keys()].map((key) => Buffer.from(key, 'latin1'));
    return {
      keys: Uint8Array.from(Buffer.concat(keys)),
      values: Float64Array.from(this.#known.values()),
    };
  }

  /**
   * Adds what {@link entries} gave.
   * @throws Error where there are not as many keys as values
   */
  addEntries(keys: Uint8Array, values: Float64Array): void {
    if (keys.length !== KEY * values.length) {
      throw new Error(`${keys.length / KEY} keys for the scores of ${values.length} answers`);
    }
    const bytes = Buffer.from(keys.buffer, keys.byteOffset, keys.length);
    values.forEach((value, at) => {
      const key = bytes.toString('latin1', KEY * at, KEY * (at + 1));
      if (!this.#known.has(key)) this.#known.set(key, value);
    });
  }
}

function keyOf({ prompt, answer: { tokens, scored } }: PromptedAnswer): string {
  const numbers = Int32Array.from([prompt.length, tokens.length, ...prompt, ...tokens]);
  return createHash('sha256')
    .update(numbers)
    .update(Uint8Array.from(tokens, (_, at) => (scored[at] ? 1 : 0)))
    .digest()
    .toString('latin1', 0, KEY);
}
