import { setImmediate } from 'node:timers/promises';
import type { MicroBatchLimit } from '../batching/micro-batches.ts';
import { splitMicroBatches } from '../batching/micro-batches.ts';
import { packPairs, pairTokens } from '../batching/pack-pairs.ts';
import type { PairSource } from './pair-source.ts';
import type { ReferenceScores } from './reference-scores.ts';

/**
 * Computes the reference of every row before training, in the very passes that the first epoch will have: the first
 * loss is then ln 2 to the last bit. Leaves the source where it was.
 */
export async function precomputeReference(
  source: PairSource,
  scores: ReferenceScores,
  { batchSize, limit, onProgress }: { batchSize: number; limit: MicroBatchLimit; onProgress(done: number, total: number): void },
): Promise<void> {
  const start = source.state();
  let done = 0;
  while (done < source.length) {
    const pairs = await source.next(Math.min(batchSize, source.length - done));
    for (const pass of splitMicroBatches(pairs.map(({ pair }) => pairTokens(pair)), limit)) {
      scores.of(packPairs(pass.map((index) => pairs[index]!.pair)), pass.map((index) => pairs[index]!.row)).dispose();
      await setImmediate();
    }
    done += batchSize;
    onProgress(Math.min(done, source.length), source.length);
  }
  source.restore(start);
}
