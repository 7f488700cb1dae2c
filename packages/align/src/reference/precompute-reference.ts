import { setImmediate } from 'node:timers/promises';
import { inTurns } from '@keel/torch';
import type { MicroBatchLimit } from '../batching/micro-batches.ts';
import { splitMicroBatches } from '../batching/micro-batches.ts';
import { type PackedPairs, packedTokens, packPairs } from '../batching/pack-pairs.ts';
import type { PlacedPair } from '../methods/pairs/pair-source.ts';
import type { AnySource } from '../training/tokenised-source.ts';
import type { KeptScores } from './reference-scores.ts';

/** How rows become a pass. */
export interface PassPacking<Placed, Batch> {
  /** Tokens that the row adds to a pass. */
  tokens(placed: Placed): number;
  pack(placed: readonly Placed[]): Batch;
}

export const pairPacking: PassPacking<PlacedPair, PackedPairs> = {
  tokens: ({ pair }) => packedTokens(pair),
  pack: (placed) => packPairs(placed.map(({ pair }) => pair)),
};

/** Rows whose reference is computed, and how they become passes. */
export interface ReferenceRows<Placed, Batch> {
  source: Omit<AnySource, 'next'> & { next(count: number): Promise<Placed[]> };
  packing: PassPacking<Placed, Batch>;
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
export async function precomputeReference<Placed extends { row: number }, Batch>(
  { source, packing }: ReferenceRows<Placed, Batch>,
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
export async function recomputeFirstStep<Placed extends { row: number }, Batch>(
  { source, packing }: ReferenceRows<Placed, Batch>,
  scores: KeptScores<Batch>,
  { batchSize, limit }: StepShape,
): Promise<void> {
  const placed = await firstStep(source, batchSize);
  scores.forget(placed.map(({ row }) => row));
  await compute(placed, packing, scores, limit);
}

/** The rows of the first step. Leaves the source where it was. */
export async function firstStep<Placed>(
  source: Omit<AnySource, 'next'> & { next(count: number): Promise<Placed[]> },
  batchSize: number,
): Promise<Placed[]> {
  const before = source.state();
  source.restore(beginning);
  const placed = await source.next(batchSize);
  source.restore(before);
  return placed;
}

async function compute<Placed extends { row: number }, Batch>(
  placed: readonly Placed[],
  packing: PassPacking<Placed, Batch>,
  scores: KeptScores<Batch>,
  limit: MicroBatchLimit,
): Promise<void> {
  for (const pass of splitMicroBatches(placed.map(packing.tokens), limit)) {
    const batch = packing.pack(pass.map((index) => placed[index]!));
    const rows = pass.map((index) => placed[index]!.row);
    (await inTurns(scores.steps(batch, rows))).dispose();
    await setImmediate();
  }
}
