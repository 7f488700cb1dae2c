// A rollout batch while it is trained on: what was sampled, and what was computed of it once. Part
// of a checkpoint.
import { fromTypedArray, type Tensor } from '@keel/torch';
import type { SampledAnswers } from '../batching/pack-rollouts.ts';
import { type Numbers, RolloutLayout } from '../objectives/online/rollout.ts';
import type { Metrics, TaskState } from '../training/training-task.ts';

/** Numbers of every sampled token, [N]; null where the algorithm has none of the kind. */
export interface TokenNumbers {
  /**
   * Log-probabilities of the policy that sampled, by the path that trains; null: the one step takes
   * its own.
   */
  old: Float64Array | null;
  /** Log-probabilities of the sampler. */
  sampler: Float64Array;
  reference: Float64Array | null;
  advantages: Float64Array;
  /** The critic's when the batch was sampled. */
  values: Float64Array | null;
  returns: Float64Array | null;
}

/**
 * Sequences that one term of the loss is made of, which no step may divide: an answer, or the
 * better and the worse one of a pair.
 */
export type Unit = readonly number[];

export class RolloutBatch implements SampledAnswers {
  /** Counted from 0. */
  readonly number: number;
  /** [P]: places of the prompts in the data. */
  readonly rows: readonly number[];
  readonly prompts: readonly (readonly number[])[];
  readonly completions: readonly (readonly number[])[];
  readonly layout: RolloutLayout;
  numbers: TokenNumbers;
  /** What its steps are made of: every answer by itself, or those that are chosen for training. */
  units: readonly Unit[];
  /** Of the batch, for the log lines of each of its steps. */
  metrics: Metrics = {};

  constructor(
    number: number,
    rows: readonly number[],
    { prompts, completions, groups }: SampledAnswers,
    sampler: Numbers,
  ) {
    this.number = number;
    this.rows = rows;
    this.prompts = prompts;
    this.completions = completions;
    const lengths = completions.map(({ length }) => length);
    this.layout = RolloutLayout.of(lengths, groups);
    this.units = this.everySequence.map((sequence) => [sequence]);
    this.numbers = {
      old: null,
      sampler: Float64Array.from(sampler),
      reference: null,
      advantages: new Float64Array(this.layout.tokens),
      values: null,
      returns: null,
    };
  }

  get groups(): Int32Array {
    return this.layout.groups;
  }
  get everySequence(): number[] {
    return Array.from(this.groups, (_, sequence) => sequence);
  }

  /** The advantage of a sequence's first token, where all of its tokens have one. */
  mark(sequence: number): number {
    return this.numbers.advantages[this.layout.offsets[sequence]!]!;
  }

  state(): TaskState {
    const tensors = new Map<string, Tensor>([
      ['rollout/prompts', whole(this.prompts.flat())],
      ['rollout/completions', whole(this.completions.flat())],
    ]);
    for (const [name, values] of Object.entries(this.numbers)) {
      if (values !== null) tensors.set(`rollout/${name}`, fromTypedArray(values));
    }
    return {
      values: {
        number: this.number,
        rows: this.rows,
        promptLengths: this.prompts.map(({ length }) => length),
        lengths: [...this.layout.lengths],
        groups: [...this.groups],
        units: this.units,
        metrics: this.metrics,
      },
      tensors,
    };
  }

  /** @throws Error where the state is none of a rollout batch */
  static from({ values, tensors }: TaskState): RolloutBatch {
    const { number, rows, promptLengths, lengths, groups, units, metrics } = values as unknown as {
      number: number;
      rows: number[];
      promptLengths: number[];
      lengths: number[];
      groups: number[];
      units: Unit[];
      metrics: Metrics;
    };
    const numbersOf = (name: string): Float64Array | null => {
      const found = tensors.get(`rollout/${name}`);
      return found === undefined ? null : Float64Array.from(found.toArray());
    };
    const [prompts, completions, sampler] = ['prompts', 'completions', 'sampler'].map(numbersOf);
    if (!prompts || !completions || !sampler || !Array.isArray(lengths) || !Array.isArray(units)) {
      throw new Error('the saved state has no whole rollout batch');
    }
    const answers = {
      prompts: cutUp(prompts, promptLengths),
      completions: cutUp(completions, lengths),
      groups,
    };
    const batch = new RolloutBatch(number, rows, answers, sampler);
    batch.metrics = metrics;
    batch.units = units;
    batch.numbers = {
      ...batch.numbers,
      old: numbersOf('old'),
      reference: numbersOf('reference'),
      advantages: numbersOf('advantages') ?? batch.numbers.advantages,
      values: numbersOf('values'),
      returns: numbersOf('returns'),
    };
    return batch;
  }
}

const whole = (values: readonly number[]): Tensor =>
  fromTypedArray(BigInt64Array.from(values, BigInt));

function cutUp(values: Float64Array, lengths: readonly number[]): number[][] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return [...values.subarray(at - length, at)];
  });
}
