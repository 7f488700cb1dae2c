// Measures Keel's reward modelling: time and tokens of each step, peak memory. Prints one JSON
// line, like benchmarks/trl/reward.py.

import { trainReward } from '@keel/align';
import { openRows } from '@keel/align/data';
import {
  type JudgedOptions,
  packJudged,
  type TokenisedJudged,
  tokeniseJudged,
} from '@keel/align/internal';
import { backwardFlops, forwardFlops, totalFlops } from '@keel/model';
import { measureRun } from './measure-run.ts';

const reading: JudgedOptions = {
  ...{ readAt: 'last', padTokenId: null, stepSeparator: '\n' },
  ...{ maxLength: null, margin: 'row', marginScale: 1 },
};

await measureRun({
  rows: { flag: 'pairs', default: '4' },
  // Work after the last step does not count as training.
  train: (options, hooks) => trainReward({ ...options, normalise: 'none' }, hooks),
  async flops(model, sizes, path, indices, full) {
    await using rows = await openRows([path], { kind: 'judged' });
    const judged = (await rows.readMany(indices)).map((row) =>
      tokeniseJudged(row, model.tokenizer, reading),
    );
    const batch = packJudged(judged.filter((one): one is TokenisedJudged => one !== null));
    const forward = forwardFlops(sizes, batch.packed, 0);
    return totalFlops(forward) + totalFlops(backwardFlops(forward, { trainedWeights: full }));
  },
});
