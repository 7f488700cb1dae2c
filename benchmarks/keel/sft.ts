// Measures Keel's supervised fine-tuning: time and tokens of each step, peak memory. Prints one
// JSON line, like benchmarks/trl/sft.py.

import { fineTune } from '@keel/align';
import { openRows } from '@keel/align/data';
import {
  defaultScoring,
  packExamples,
  type TokenisedExample,
  tokeniseExample,
} from '@keel/align/internal';
import { backwardFlops, forwardFlops, totalFlops } from '@keel/model';
import { measureRun } from './measure-run.ts';

await measureRun({
  rows: { flag: 'rows', default: '8' },
  train: fineTune,
  async flops(model, sizes, path, indices, full) {
    await using rows = await openRows([path], { kind: 'supervised' });
    const examples = (await rows.readMany(indices)).map((row) =>
      tokeniseExample(row, model.tokenizer, { ...defaultScoring, maxLength: null }),
    );
    const batch = packExamples(examples.filter((one): one is TokenisedExample => one !== null));
    const forward = forwardFlops(sizes, batch.packed, batch.scored.rows.length);
    return totalFlops(forward) + totalFlops(backwardFlops(forward, { trainedWeights: full }));
  },
});
