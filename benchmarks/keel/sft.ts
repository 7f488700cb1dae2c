// Measures Keel's supervised fine-tuning: time and tokens of each step, peak memory. Prints one JSON line, as
// benchmarks/trl/sft.py does.
import {
  defaultScoring,
  fineTune,
  openRows,
  packExamples,
  type TokenisedExample,
  tokeniseExample,
} from '@keel/align';
import { measureRun } from './measure-run.ts';

await measureRun({
  rows: { flag: 'rows', default: '8' },
  train: fineTune,
  async tokens(model, path, indices) {
    await using rows = await openRows([path], { kind: 'supervised' });
    const examples = (await rows.readMany(indices)).map((row) =>
      tokeniseExample(row, model.tokenizer, { ...defaultScoring, maxLength: null }),
    );
    const batch = packExamples(examples.filter((one): one is TokenisedExample => one !== null));
    return { packed: batch.packed.tokens.length, scored: batch.scored.rows.length };
  },
  // Forward and the inputs' gradients; in full fine-tuning the weights' too.
  passes: (full) => (full ? 3 : 2),
});
