// Measures Keel's DPO: time and tokens of each step, peak memory. Prints one JSON line, as benchmarks/trl/dpo.py does.
import { alignPairs, openRows, packPairs, type TokenisedPair, tokenisePair } from '@keel/align';
import { measureRun } from './measure-run.ts';

await measureRun({
  rows: { flag: 'pairs', default: '4' },
  train: alignPairs,
  async tokens(model, path, indices) {
    await using rows = await openRows([path], { kind: 'preference' });
    const pairs = (await rows.readMany(indices)).map((row) =>
      tokenisePair(row, model.tokenizer, { maxLength: null }),
    );
    const batch = packPairs(pairs.filter((pair): pair is TokenisedPair => pair !== null));
    return { packed: batch.packed.tokens.length, scored: batch.scored.rows.length };
  },
  // LoRA: two forwards (policy and reference) and the inputs' gradients. Full: the reference is computed in advance, and
  // weights have gradients too.
  passes: () => 3,
});
