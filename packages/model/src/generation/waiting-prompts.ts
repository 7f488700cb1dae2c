import type { Tensor } from '@keel/torch';
import type { CachedPrefix } from './kv-cache.ts';
import type { SampleName } from './options.ts';

/** A prompt some of whose samples have not started. */
export interface WaitingPrompt {
  readonly promptIndex: number;
  readonly tokens: readonly number[];
  nextSample: number;
  /** Once computed: its place in the cache, and the logits of the next token, [1, vocabulary]. */
  computed: { prefix: CachedPrefix; logits: Tensor } | null;
}

/** Samples that start now, by their prompt. */
export interface Admission {
  prompt: WaitingPrompt;
  samples: SampleName[];
}

/** The samples that wait for a place in the batch, in order. */
export class WaitingPrompts {
  readonly #prompts: WaitingPrompt[];
  readonly #samplesPerPrompt: number;

  constructor(prompts: readonly (readonly number[])[], samplesPerPrompt: number) {
    this.#samplesPerPrompt = samplesPerPrompt;
    this.#prompts = prompts.map((tokens, promptIndex) => ({
      promptIndex,
      tokens,
      nextSample: 0,
      computed: null,
    }));
  }

  /** Number of waiting samples. */
  get count(): number {
    return this.#prompts.reduce(
      (sum, { nextSample }) => sum + this.#samplesPerPrompt - nextSample,
      0,
    );
  }

  /**
   * The next samples, at most `places`. Those of their prompts that must still be computed have at
   * most `tokens` tokens together, or there is only one such prompt.
   */
  next(places: number, tokens: number): Admission[] {
    const admissions: Admission[] = [];
    let left = places;
    let computed = 0;
    for (const prompt of this.#prompts) {
      if (left === 0) break;
      const cost = prompt.computed === null ? prompt.tokens.length : 0;
      if (computed > 0 && cost > 0 && computed + cost > tokens) break;
      computed += cost;
      const samples: SampleName[] = [];
      for (; left > 0 && prompt.nextSample < this.#samplesPerPrompt; left--) {
        samples.push({ promptIndex: prompt.promptIndex, sampleIndex: prompt.nextSample++ });
      }
      admissions.push({ prompt, samples });
    }
    return admissions;
  }

  /** Number of tokens in the prompts to compute before the next `places` samples start. */
  tokensFor(places: number): number {
    let left = places;
    let tokens = 0;
    for (const prompt of this.#prompts) {
      if (left <= 0) break;
      left -= this.#samplesPerPrompt - prompt.nextSample;
      if (prompt.computed === null) tokens += prompt.tokens.length;
    }
    return tokens;
  }

  /** Removes the prompts whose samples have all started. */
  takeEmptied(): WaitingPrompt[] {
    const emptied: WaitingPrompt[] = [];
    while (this.#prompts[0]?.nextSample === this.#samplesPerPrompt)
      emptied.push(this.#prompts.shift()!);
    return emptied;
  }

  /** Removes everything: the prompts, and the samples that never started. */
  takeAll(): { prompts: WaitingPrompt[]; samples: (SampleName & { tokens: readonly number[] })[] } {
    const prompts = this.#prompts.splice(0);
    const samples = prompts.flatMap(({ promptIndex, tokens, nextSample }) =>
      Array.from({ length: this.#samplesPerPrompt - nextSample }, (_, i) => ({
        promptIndex,
        tokens,
        sampleIndex: nextSample + i,
      })),
    );
    return { prompts, samples };
  }
}
