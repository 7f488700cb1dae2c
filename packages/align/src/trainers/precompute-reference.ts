import { setImmediate } from 'node:timers/promises';
import { inTurns } from '@keel/torch';
import type { MicroBatchLimit } from '../batching/micro-batches.ts';
import { splitMicroBatches } from '../batching/micro-batches.ts';
import { packedTokens, packPairs } from '../batching/pack-pairs.ts';
import type { PairSource, PlacedPair } from './pair-source.ts';
import type { ReferenceScores } from './reference-scores.ts';

/** How a step's pairs are cut into passes, as the training does it. */
export interface StepShape {
  batchSize: number;
  limit: MicroBatchLimit;
}

const beginning = { epoch: 0, index: 0 };

/**
 * Computes the reference of every row, in the order and the passes of the first epoch. Leaves the source where it was.
 * @throws Error when no row fits the maximum length
 */
export async function precomputeReference(
  source: PairSource,
  scores: ReferenceScores,
  { batchSize, limit, onProgress }: StepShape & { onProgress(done: number, total: number): void },
): Promise<void> {
  const before = source.state();
  source.restore(beginning);
  let done = 0;
  const left = (): number => source.length - source.leftOut - done;
  while (left() > 0) {
    const pairs = await source.next(Math.min(batchSize, left()));
    await compute(pairs, scores, limit);
    done += pairs.length;
    onProgress(Math.min(source.length, done + source.leftOut), source.length);
  }
  if (done === 0) source.refuseNothingLeft();
  source.restore(before);
}

/**
 * Computes the reference of the first step's rows again, in the very passes of that step: the policy, which is then still
 * the reference, scores them with the same bits, and the first loss is exactly ln 2. Scores of other passes differ in
 * the last bit. Leaves the source where it was.
 */
export async function recomputeFirstStep(
  source: PairSource,
  scores: ReferenceScores,
  { batchSize, limit }: StepShape,
): Promise<void> {
  await compute(await forgetFirstStep(source, scores, { batchSize }), scores, limit);
}

/** Lets the first step compute its rows' scores in its own passes. Leaves the source where it was. @returns these rows */
export async function forgetFirstStep(
  source: PairSource,
  scores: ReferenceScores,
  { batchSize }: Pick<StepShape, 'batchSize'>,
): Promise<PlacedPair[]> {
  const before = source.state();
  source.restore(beginning);
  const pairs = await source.next(batchSize);
  source.restore(before);
  scores.forget(pairs.map(({ row }) => row));
  return pairs;
}

async function compute(
  pairs: readonly PlacedPair[],
  scores: ReferenceScores,
  limit: MicroBatchLimit,
): Promise<void> {
  for (const pass of splitMicroBatches(
    pairs.map(({ pair }) => packedTokens(pair)),
    limit,
  )) {
    const batch = packPairs(pass.map((index) => pairs[index]!.pair));
    const rows = pass.map((index) => pairs[index]!.row);
    (await inTurns(scores.steps(batch, rows))).dispose();
    await setImmediate();
  }
}
