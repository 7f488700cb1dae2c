import {
  backwardFlops,
  type Flops,
  forwardFlops,
  type LanguageModel,
  type ModelSizes,
  modelSizes,
  type PackedBatch,
  type Role,
  totalFlops,
} from '@keel/model';
import type { SamplerState } from '../data/shuffle.ts';
import type { AnySource } from './tokenised-source.ts';
import type { Metrics, TaskState, TrainingTask } from './training-task.ts';

/** What a task is made of, whatever its rows are. */
export interface RowTaskParts<Source> {
  model: LanguageModel;
  /**
   * Role that is trained: an adapter's name, or `reference` for the base itself (full fine-tuning).
   */
  role: Role;
  source: Source;
  evaluation: Source | null;
  /** Rows of one optimiser step. */
  batchSize: number;
}

/** A task on the rows of a source: its place in them, and what it has seen and computed of them. */
export abstract class RowTask<Source extends AnySource> implements TrainingTask {
  tokens = 0;
  flops = 0;
  rows: readonly number[] = [];
  readonly #parts: RowTaskParts<Source>;
  readonly #sizes: ModelSizes;
  readonly #kind: string;

  /** @param kind of run, for messages: "a run on pairs" */
  constructor(parts: RowTaskParts<Source>, kind: string) {
    this.#parts = parts;
    this.#sizes = modelSizes(parts.model.decoder);
    this.#kind = kind;
  }

  abstract step(): Promise<Metrics>;
  abstract evaluate(): Promise<Metrics | null>;

  /**
   * Counts a training pass, forward and backward, and `others` forward passes of models that are
   * not trained.
   */
  protected count(packed: PackedBatch, scored: number, others = 0): void {
    const forward: Flops = forwardFlops(this.#sizes, packed, scored);
    const trainedWeights = this.#parts.role === 'reference';
    const backward = backwardFlops(forward, { trainedWeights });
    this.flops += (1 + others) * totalFlops(forward) + totalFlops(backward);
  }

  /** Counts a forward pass of a training step, of whichever model. */
  protected countForward(packed: PackedBatch, scored: number): void {
    this.flops += totalFlops(forwardFlops(this.#sizes, packed, scored));
  }

  /**
   * Places of the held-out rows, so many at a time (a step's number unless told); fewer than
   * `least` at the end go with those before them.
   */
  protected *evaluationRows(size = this.#parts.batchSize, least = 1): Generator<number[]> {
    const length = this.#parts.evaluation?.length ?? 0;
    for (let start = 0; start < length; ) {
      const left = length - start;
      const count = left - size < least ? left : size;
      yield Array.from({ length: count }, (_, i) => start + i);
      start += count;
    }
  }

  state(): TaskState {
    return {
      values: { sampler: this.#parts.source.state(), tokens: this.tokens },
      tensors: new Map(),
    };
  }

  check({ values }: TaskState): void {
    const { sampler, tokens } = values;
    if (typeof sampler !== 'object' || sampler === null || !Number.isInteger(tokens)) {
      throw new Error(`the saved state is not one of ${this.#kind}`);
    }
    this.#parts.source.check(sampler as SamplerState);
  }

  restore(state: TaskState): void {
    this.check(state);
    this.#parts.source.restore(state.values.sampler as SamplerState);
    this.tokens = state.values.tokens as number;
  }
}
