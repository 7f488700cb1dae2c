import {
  backwardFlops,
  type Flops,
  forwardFlops,
  type ModelSizes,
  modelSizes,
  type PackedBatch,
  totalFlops,
} from '@keel/model';
import { BatchCollector, type BatchValues } from '@keel/statistics';
import { phase } from '@keel/torch';
import type { SamplerState } from '../data/shuffle.ts';
import {
  type Packing,
  type Pass,
  type PassesOptions,
  type PassesParts,
  type Placed,
  passes,
} from './passes.ts';
import type { AnySource } from './tokenised-source.ts';
import type { Metrics, TaskState, TrainingTask } from './training-task.ts';

/** What every task on rows takes. */
export interface RowTaskParts<Source extends AnySource<Placed>> extends PassesParts {
  source: Source;
  evaluation: Source | null;
  /** Rows of an optimizer step. */
  batchSize: number;
}

/** The tokenised rows of a source. */
type PlacedOf<Source extends AnySource<Placed>> = Awaited<ReturnType<Source['next']>>[number];

/** Sums over the passes of a step or an evaluation. */
export interface RowTotals {
  readonly tokens: number;
  metrics(): Metrics;
  /** Metrics of an evaluation, if it counts something differently than a step. */
  heldOutMetrics?(): Metrics;
}

/**
 * A task on the rows of a source: its place in them, its tokens and flops, and what all methods'
 * steps and evaluations share.
 */
export abstract class RowTask<Source extends AnySource<Placed>> implements TrainingTask {
  tokens = 0;
  flops = 0;
  rows: readonly number[] = [];
  heldOut: BatchValues | null = null;
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

  /** The rows of the next step. */
  protected async nextRows(): Promise<PlacedOf<Source>[]> {
    const { source, batchSize } = this.#parts;
    const placed: PlacedOf<Source>[] = await phase('data', () => source.next(batchSize));
    this.rows = placed.map(({ row }) => row);
    return placed;
  }

  /** Counts the tokens of a step. @returns its metrics */
  protected endStep(totals: RowTotals, more: Metrics = {}): Metrics {
    this.tokens += totals.tokens;
    const { epoch } = this.#parts.source;
    return { ...totals.metrics(), ...more, epoch, num_tokens: this.tokens };
  }

  /**
   * Runs the held-out rows through `run`, a batch at a time.
   * @returns what `totals` has then; null without held-out rows
   */
  protected async evaluateRows(
    totals: RowTotals,
    run: (placed: PlacedOf<Source>[]) => Promise<void>,
    least?: number,
  ): Promise<Metrics | null> {
    const { evaluation } = this.#parts;
    if (evaluation === null) return null;
    const collector = new BatchCollector();
    let count = 0;
    for await (const placed of this.heldOutRows(least)) {
      await run(placed);
      count += placed.length;
      collector.add(placed.length, totals.heldOutMetrics?.() ?? totals.metrics());
    }
    if (count === 0) evaluation.refuseNothingLeft();
    this.heldOut = collector.batches;
    return totals.metrics();
  }

  /** The held-out rows that can be used, as many at a time as a step has. */
  protected async *heldOutRows(least = 1): AsyncGenerator<PlacedOf<Source>[], void, undefined> {
    const { evaluation, batchSize } = this.#parts;
    for (const indices of this.evaluationRows(batchSize, least)) {
      const placed: PlacedOf<Source>[] = await evaluation!.read(indices);
      if (placed.length > 0) yield placed;
    }
  }

  /**
   * Places of the held-out rows, `size` at a time. Fewer than `least` at the end join those before
   * them.
   */
  protected *evaluationRows(size: number, least = 1): Generator<number[]> {
    const length = this.#parts.evaluation?.length ?? 0;
    for (let start = 0; start < length; ) {
      const left = length - start;
      const count = left - size < least ? left : size;
      yield Array.from({ length: count }, (_, i) => start + i);
      start += count;
    }
  }

  /** {@link passes} of these rows. In training, their flops are counted. */
  protected passes<Row extends Placed, Batch extends { packed: PackedBatch }, Found>(
    rows: readonly Row[],
    packing: Packing<Row, Batch>,
    options: Pick<PassesOptions<Batch>, 'divisor' | 'training' | 'heldOut'>,
    work: (pass: Pass<Row, Batch>) => Promise<Found>,
  ): ReturnType<typeof passes<Row, Batch, Found>> {
    const counted = {
      ...options,
      endsStep: options.divisor !== null,
      count: (batch: Batch) => this.count(batch.packed, packing.scored(batch)),
      countForward: (batch: Batch) => this.countForward(batch.packed, packing.scored(batch)),
    };
    return passes(this.#parts, rows, packing, counted, work);
  }

  /** Counts the flops of a pass, forward and backward. */
  protected count(packed: PackedBatch, scored: number): void {
    const forward: Flops = forwardFlops(this.#sizes, packed, scored);
    const trainedWeights = this.#parts.role === 'reference';
    const backward = backwardFlops(forward, { trainedWeights });
    this.flops += totalFlops(forward) + totalFlops(backward);
  }

  /** Counts the flops of a forward pass of a training step, of any model. */
  protected countForward(packed: PackedBatch, scored: number): void {
    this.flops += totalFlops(forwardFlops(this.#sizes, packed, scored));
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
