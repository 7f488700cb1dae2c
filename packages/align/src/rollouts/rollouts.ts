// Sampled answers with their log-probabilities.
import type { AnswerConstraints } from '../batching/answer-constraints.ts';
import type { SampledAnswers } from '../batching/pack-rollouts.ts';
import { type Numbers, RolloutLayout } from '../objectives/online/rollout.ts';
import type { SampledRollouts } from './sample-rollouts.ts';

/**
 * Log-probabilities of every sampled token, [N] each. Under a constraint, all of them are over the
 * tokens that it allowed, so their differences are those of the constrained distributions.
 */
export interface TokenLogprobs {
  /** As the sampler computed them. */
  sampler: Float64Array;
  /**
   * The policy's when the answers were sampled, computed by the training path. null: the batch has
   * a single optimizer step, which uses its own.
   */
  old: Float64Array | null;
  /** null: nothing is compared with a reference. */
  reference: Float64Array | null;
}

export class Rollouts implements SampledAnswers {
  /** [P]: indices of the prompts' rows in the data. */
  readonly rows: readonly number[];
  readonly prompts: readonly (readonly number[])[];
  readonly completions: readonly (readonly number[])[];
  readonly layout: RolloutLayout;
  readonly logprobs: TokenLogprobs;
  readonly constraints: AnswerConstraints | null;

  /** @param sampler [N] log-probabilities of the sampler */
  constructor(
    rows: readonly number[],
    { prompts, completions, groups, constraints = null }: SampledAnswers,
    sampler: Numbers,
  ) {
    this.rows = rows;
    this.prompts = prompts;
    this.completions = completions;
    this.constraints = constraints;
    const lengths = completions.map(({ length }) => length);
    this.layout = RolloutLayout.of(lengths, groups);
    this.logprobs = { sampler: Float64Array.from(sampler), old: null, reference: null };
  }

  /** @param constraints what the answers match */
  static of(
    { prompts, samples }: SampledRollouts,
    constraints: AnswerConstraints | null = null,
  ): Rollouts {
    const answers = {
      constraints,
      prompts: prompts.map(({ tokens }) => tokens),
      completions: samples.map(({ tokens }) => tokens),
      groups: samples.map(({ group }) => group),
    };
    const rows = prompts.map(({ row }) => row);
    return new Rollouts(
      rows,
      answers,
      samples.flatMap(({ logprobs }) => logprobs),
    );
  }

  get groups(): Int32Array {
    return this.layout.groups;
  }
  get everySequence(): number[] {
    return Array.from(this.groups, (_, sequence) => sequence);
  }

  /** The rows whose prompts these sequences answer, each once. */
  rowsOf(sequences: readonly number[]): number[] {
    return [...new Set(sequences.map((sequence) => this.rows[this.groups[sequence]!]!))];
  }

  /** Tokens of these answers, each counted with its prompt. */
  tokensOf(sequences: readonly number[]): number {
    const { prompts, completions, groups } = this;
    return sequences.reduce(
      (sum, one) => sum + prompts[groups[one]!]!.length + completions[one]!.length,
      0,
    );
  }
}
