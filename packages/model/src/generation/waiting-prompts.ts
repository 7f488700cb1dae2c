import type { Tensor } from '@keel/torch';
import type { CachedPrefix } from './kv-cache.ts';
import type { TokenLogprobs } from './model-logprobs.ts';
import type { Prompt } from './sequence.ts';

/** A prompt some of whose samples have not started. */
export interface WaitingPrompt {
  readonly prompt: Prompt;
  nextSample: number;
  /** Once computed: its place in the cache, and the logits of the next token, [1, vocabulary]. */
  computed: {
    prefix: CachedPrefix;
    logits: Tensor;
    promptLogprobs: (TokenLogprobs | null)[] | null;
  } | null;
}

/** Samples that start now, by their prompt. */
export interface Admission {
  waiting: WaitingPrompt;
  samples: number[];
}

const lengthOf = ({ tokens }: Prompt): number => tokens.length;
const samplesOf = ({ prompt }: WaitingPrompt): number => prompt.options.samplesPerPrompt;

/** The samples that wait for a place in the batch, in order. */
export class WaitingPrompts {
  #prompts: WaitingPrompt[] = [];

  add(prompt: Prompt): void {
    this.#prompts.push({ prompt, nextSample: 0, computed: null });
  }

  /** Number of waiting samples. */
  get count(): number {
    return this.#prompts.reduce((sum, one) => sum + samplesOf(one) - one.nextSample, 0);
  }

  /**
   * The next samples, at most `places`. Those of their prompts that must still be computed cost at
   * most `tokens` together, or there is only one such prompt.
   * @param costOf number of tokens that a prompt adds to the pass with these prompts; null: it must
   *   wait until they are computed
   */
  next(
    places: number,
    tokens: number,
    costOf: (prompt: Prompt, pass: readonly Prompt[]) => number | null = lengthOf,
  ): Admission[] {
    const admissions: Admission[] = [];
    const pass: Prompt[] = [];
    let left = places;
    let computed = 0;
    for (const waiting of this.#prompts) {
      if (left === 0) break;
      const { prompt } = waiting;
      const cost = waiting.computed === null ? costOf(prompt, pass) : 0;
      if (cost === null || (computed > 0 && cost > 0 && computed + cost > tokens)) break;
      computed += cost;
      if (cost > 0) pass.push(prompt);
      const samples: number[] = [];
      for (; left > 0 && waiting.nextSample < samplesOf(waiting); left--) {
        samples.push(waiting.nextSample++);
      }
      admissions.push({ waiting, samples });
    }
    return admissions;
  }

  /** Number of tokens in the prompts to compute before the next `places` samples start. */
  tokensFor(places: number): number {
    let left = places;
    let tokens = 0;
    for (const waiting of this.#prompts) {
      if (left <= 0) break;
      left -= samplesOf(waiting) - waiting.nextSample;
      if (waiting.computed === null) tokens += waiting.prompt.tokens.length;
    }
    return tokens;
  }

  /** Removes the prompts whose samples have all started. */
  takeEmptied(): WaitingPrompt[] {
    const emptied: WaitingPrompt[] = [];
    while (
      this.#prompts.length > 0 &&
      this.#prompts[0]!.nextSample === samplesOf(this.#prompts[0]!)
    )
      emptied.push(this.#prompts.shift()!);
    return emptied;
  }

  /** Removes prompts (default: all), and the samples of theirs that never started. */
  take(wanted: (prompt: Prompt) => boolean = () => true): {
    prompts: WaitingPrompt[];
    samples: { prompt: Prompt; sampleIndex: number }[];
  } {
    const { taken: prompts = [], rest = [] } = Object.groupBy(this.#prompts, ({ prompt }) =>
      wanted(prompt) ? 'taken' : 'rest',
    );
    this.#prompts = rest;
    const samples = prompts.flatMap((waiting) =>
      Array.from({ length: samplesOf(waiting) - waiting.nextSample }, (_, i) => ({
        prompt: waiting.prompt,
        sampleIndex: waiting.nextSample + i,
      })),
    );
    return { prompts, samples };
  }
}
