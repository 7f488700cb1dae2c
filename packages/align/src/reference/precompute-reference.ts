import type { PackedBatch } from '@keel/model';
import type { MicroBatchLimit } from '../batching/micro-batches.ts';
import { type Packing, type Placed, passes } from '../training/passes.ts';
import type { AnySource } from '../training/tokenised-source.ts';
import type { KeptScores } from './reference-scores.ts';

/** Rows whose reference is computed, and how they become passes. */
export interface ReferenceRows<Row, Batch extends { packed: PackedBatch }> {
  source: AnySource<Row>;
  packing: Packing<Row, Batch>;
}

/** How a step's pairs are cut into passes, as the training does it. */
export interface StepShape {
  batchSize: number;
  limit: MicroBatchLimit;
  /** Ends what is computed in advance. */
  signal?: AbortSignal | undefined;
}

const beginning = { epoch: 0, index: 0 };

/**
 * Computes the reference of every row of which it is not known, in the order and the passes of the
 * first epoch. Leaves the source where it was.
 * @throws Error when no row fits the maximum length; the signal's reason where it fires
 */
export async function precomputeReference<
  Row extends Placed,
  Batch extends { packed: PackedBatch },
>(
  { source, packing }: ReferenceRows<Row, Batch>,
  scores: KeptScores<Batch>,
  {
    batchSize,
    limit,
    signal,
    onProgress,
  }: StepShape & { onProgress(done: number, total: number): void },
): Promise<void> {
  const before = source.state();
  source.restore(beginning);
  let done = 0;
  const left = (): number => source.length - source.leftOut - done;
  while (left() > 0) {
    signal?.throwIfAborted();
    const pairs = await source.next(Math.min(batchSize, left()));
    await compute(pairs, packing, scores, limit);
    done += pairs.length;
    onProgress(Math.min(source.length, done + source.leftOut), source.length);
  }
  if (done === 0) source.refuseNothingLeft();
  source.restore(before);
}

/**
 * Computes the reference of the first step's rows again, in the very passes of that step: the
 * policy, which is then still the reference, scores them with the same bits, and the first loss is
 * exactly ln 2. Scores of other passes may differ in the last bit. Leaves the source where it was.
 */
export async function recomputeFirstStep<Row extends Placed, Batch extends { packed: PackedBatch }>(
  { source, packing }: ReferenceRows<Row, Batch>,
  scores: KeptScores<Batch>,
  { batchSize, limit }: StepShape,
): Promise<void> {
  const placed = await firstStep(source, batchSize);
  scores.forget(placed.map(({ row }) => row));
  await compute(placed, packing, scores, limit);
}

/** The rows of the first step. Leaves the source where it was. */
export async function firstStep<Row>(source: AnySource<Row>, batchSize: number): Promise<Row[]> {
  const before = source.state();
  source.restore(beginning);
  const placed = await source.next(batchSize);
  source.restore(before);
  return placed;
}

async function compute<Row extends Placed, Batch extends { packed: PackedBatch }>(
  rows: readonly Row[],
  packing: Packing<Row, Batch>,
  scores: KeptScores<Batch>,
  limit: MicroBatchLimit,
): Promise<void> {
  const { model, role } = scores;
  for await (const pass of passes({ model, role, limit }, rows, packing, { divisor: null })) {
    (await pass.compute(scores.steps(pass.batch, pass.rows), 'reference')).dispose();
  }
}
