// A rollout batch while it is trained on: the sampled answers, and everything that is computed from
// them once per batch. Part of a checkpoint.
import { fromTypedArray, type Tensor } from '@keel/torch';
import type { AnswerConstraints } from '../batching/answer-constraints.ts';
import type { Metrics, TaskState } from '../training/training-task.ts';
import { Rollouts } from './rollouts.ts';
import { type Training, trainingFrom, trainingState, type Unit, unitsOf } from './training.ts';

export interface RolloutBatchParts<Kind extends Training = Training> {
  /** Counted from 0. */
  number: number;
  rollouts: Rollouts;
  training: Kind;
  /** Of the batch, for the log lines of each of its steps. */
  metrics: Metrics;
}

export class RolloutBatch<Kind extends Training = Training> {
  readonly number: number;
  readonly rollouts: Rollouts;
  readonly training: Kind;
  readonly metrics: Metrics;

  constructor({ number, rollouts, training, metrics }: RolloutBatchParts<Kind>) {
    this.number = number;
    this.rollouts = rollouts;
    this.training = training;
    this.metrics = metrics;
  }

  /** What its optimizer steps consist of. */
  get units(): Unit[] {
    return unitsOf(this.training, this.rollouts.layout);
  }

  state(): TaskState {
    const { rows, prompts, completions, layout, logprobs } = this.rollouts;
    const tensors = new Map<string, Tensor>([
      ['rollout/prompts', integers(prompts.flat())],
      ['rollout/completions', integers(completions.flat())],
    ]);
    for (const [name, values] of Object.entries(logprobs)) {
      if (values !== null) tensors.set(`rollout/${name}`, fromTypedArray(values));
    }
    const training = trainingState(this.training);
    return {
      values: {
        number: this.number,
        rows,
        promptLengths: prompts.map(({ length }) => length),
        lengths: [...layout.lengths],
        groups: [...layout.groups],
        training: training.values,
        metrics: this.metrics,
      },
      tensors: new Map([...tensors, ...training.tensors]),
    };
  }

  /**
   * @param constraints what the answers match
   * @throws Error if the state holds no complete rollout batch
   */
  static from(
    { values, tensors }: TaskState,
    constraints: AnswerConstraints | null = null,
  ): RolloutBatch {
    const { number, rows, promptLengths, lengths, groups, training, metrics } =
      values as unknown as {
        number: number;
        rows: number[];
        promptLengths: number[];
        lengths: number[];
        groups: number[];
        training: TaskState['values'];
        metrics: Metrics;
      };
    const numbersOf = (name: string): Float64Array | null => {
      const found = tensors.get(`rollout/${name}`);
      return found === undefined ? null : Float64Array.from(found.toArray());
    };
    const [prompts, completions, sampler] = ['prompts', 'completions', 'sampler'].map(numbersOf);
    if (!prompts || !completions || !sampler || !Array.isArray(lengths) || !training) {
      throw new Error('the saved state holds no complete rollout batch');
    }
    const answers = {
      prompts: split(prompts, promptLengths),
      completions: split(completions, lengths),
      ...{ groups, constraints },
    };
    const rollouts = new Rollouts(rows, answers, sampler);
    rollouts.logprobs.old = numbersOf('old');
    rollouts.logprobs.reference = numbersOf('reference');
    return new RolloutBatch({
      ...{ number, rollouts, metrics },
      training: trainingFrom({ values: training, tensors }),
    });
  }
}

const integers = (values: readonly number[]): Tensor =>
  fromTypedArray(BigInt64Array.from(values, BigInt));

function split(values: Float64Array, lengths: readonly number[]): number[][] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return [...values.subarray(at - length, at)];
  });
}
