// Compares DPO with TRL's, with LoRA (or all weights with --full). --epochs 3, TRL's default,
// repeats the rows that often within the steps. Keel's reference is computed in the first epoch.
//   node benchmarks/dpo-vs-trl.ts --python <a Python with benchmarks/trl/requirements.txt>
//     [--data rows.jsonl] [--model folder]
import { compareWithTrl } from './compare-with-trl.ts';
import { jsonLines, pairsFrom } from './random-pairs.ts';

await compareWithTrl({
  name: 'dpo',
  rows: { flag: 'pairs', default: '4' },
  data: (path) => jsonLines(pairsFrom(path)),
  trl: {
    'TRL, default': [],
    'TRL, reference precomputed': ['--precompute'],
    'TRL, precomputed, no recomputation': ['--precompute', '--no-gradient-checkpointing'],
  },
  keel: { 'Keel, recomputation': ['--gradient-checkpointing', 'on'] },
});
