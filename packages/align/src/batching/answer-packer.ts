import { BatchBuilder, type PackedBatch } from '@keel/model';
import type { ScoredSequence } from './tokenise-pieces.ts';

/** The position of an answer in a packed batch. */
export interface PackedAnswer {
  /** Index of its first token. */
  start: number;
  /** Index of its prompt's last token; null without a prompt. */
  before: number | null;
}

/**
 * Packs answers after their prompts. A prompt is stored once for all answers of the batch to it.
 */
export class AnswerPacker {
  readonly #builder = new BatchBuilder();
  readonly #prompts = new Map<string, { segment: number; last: number }>();

  /** @throws RangeError for an empty answer */
  add(prompt: readonly number[], answer: readonly number[]): PackedAnswer {
    const key = prompt.join();
    let shared = this.#prompts.get(key) ?? null;
    if (shared === null && prompt.length > 0) {
      const segment = this.#builder.add(prompt);
      shared = { segment, last: this.#builder.size - 1 };
      this.#prompts.set(key, shared);
    }
    const start = this.#builder.size;
    this.#builder.add(answer, shared?.segment ?? -1);
    return { start, before: shared?.last ?? null };
  }

  build(): PackedBatch {
    return this.#builder.build();
  }
}

/**
 * The scored tokens of a packed answer, each with the index of the token that predicts it. The
 * prompt's last token predicts the first one; without a prompt, nothing predicts it.
 */
export function* predictions(
  { tokens, scored }: ScoredSequence,
  { start, before }: PackedAnswer,
): Generator<{ row: number; target: number }> {
  for (let at = 0; at < tokens.length; at++) {
    const row = at > 0 ? start + at - 1 : before;
    if (row !== null && scored[at]) yield { row, target: tokens[at]! };
  }
}
