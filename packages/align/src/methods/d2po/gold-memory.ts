// The gold pairs that a discriminator is trained on, as tokens. Part of a checkpoint.
import { fromTypedArray, type Tensor } from '@keel/torch';
import type { TaskState } from '../../training/training-task.ts';
import type { LearntPair } from '../reward/pair-learner.ts';

export type GoldPair = LearntPair;

/** A pair in a state's values; its tokens are in a tensor. */
interface SavedPair {
  row: number;
  prompt: number;
  answers: { tokens: number; reads: number[] }[];
}

const TOKENS = 'discriminator/gold-tokens';

export class GoldMemory {
  readonly #most: number;
  #pairs: GoldPair[] = [];

  /** @param most maximum number of pairs, the latest; null: all */
  constructor(most: number | null) {
    this.#most = most ?? Number.POSITIVE_INFINITY;
  }

  get pairs(): readonly GoldPair[] {
    return this.#pairs;
  }

  add(pairs: readonly GoldPair[]): void {
    const all = [...this.#pairs, ...pairs];
    this.#pairs = all.slice(Math.max(0, all.length - this.#most));
  }

  state(): { values: SavedPair[]; tensors: Map<string, Tensor> } {
    const tokens = this.#pairs.flatMap(({ prompt, answers }) => [
      ...prompt,
      ...answers.flatMap((answer) => answer.tokens),
    ]);
    const values = this.#pairs.map(({ row, prompt, answers }) => ({
      row,
      prompt: prompt.length,
      answers: answers.map((one) => ({ tokens: one.tokens.length, reads: one.reads })),
    }));
    const tensors = new Map<string, Tensor>();
    if (tokens.length > 0) {
      tensors.set(TOKENS, fromTypedArray(BigInt64Array.from(tokens, BigInt)));
    }
    return { values, tensors };
  }

  /** @throws Error if the state is not valid; then nothing is changed */
  restore(values: unknown, tensors: TaskState['tensors']): void {
    this.#pairs = savedPairs(values, tensors);
  }

  /** @throws Error like `restore` */
  check(values: unknown, tensors: TaskState['tensors']): void {
    savedPairs(values, tensors);
  }
}

function savedPairs(values: unknown, tensors: TaskState['tensors']): GoldPair[] {
  if (!Array.isArray(values)) throw new Error('the saved state has no gold pairs');
  const tokens = tensors.get(TOKENS)?.toArray() ?? [];
  let at = 0;
  const take = (count: number): number[] => {
    at += count;
    return Array.from(tokens.slice(at - count, at), Number);
  };
  const pairs = (values as SavedPair[]).map(({ row, prompt, answers }) => ({
    row,
    prompt: take(prompt),
    answers: answers.map(({ tokens: count, reads }) => {
      const own = take(count);
      return { tokens: own, scored: own.map(() => true), reads };
    }),
  }));
  if (at !== tokens.length) {
    throw new Error(`the saved gold pairs have ${at} tokens, but the state has ${tokens.length}`);
  }
  return pairs;
}
