// Measures Keel's DPO: time and tokens of each step, peak memory. Prints one JSON line, like
// benchmarks/trl/dpo.py.

import { alignPairs } from '@keel/align';
import { openRows } from '@keel/align/data';
import { packPairs, type TokenisedPair, tokenisePair } from '@keel/align/internal';
import { backwardFlops, forwardFlops, totalFlops } from '@keel/model';
import { measureRun } from './measure-run.ts';

await measureRun({
  rows: { flag: 'pairs', default: '4' },
  train: alignPairs,
  async flops(model, sizes, path, indices, full) {
    await using rows = await openRows([path], { kind: 'preference' });
    const pairs = (await rows.readMany(indices)).map((row) =>
      tokenisePair(row, model.tokenizer, { maxLength: null }),
    );
    const batch = packPairs(pairs.filter((pair): pair is TokenisedPair => pair !== null));
    const forward = forwardFlops(sizes, batch.packed, batch.scored.rows.length);
    const backward = backwardFlops(forward, { trainedWeights: full });
    // LoRA computes its reference in the step; full fine-tuning computes it before.
    return (full ? 1 : 2) * totalFlops(forward) + totalFlops(backward);
  },
});
