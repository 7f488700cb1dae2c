// Compares reward modelling with TRL's on preference rows, with LoRA (or all weights with --full).
//   node benchmarks/reward-vs-trl.ts --python <a Python with benchmarks/trl/requirements.txt>
//     [--data pairs.jsonl] [--model folder]
import { compareWithTrl } from './compare-with-trl.ts';
import { jsonLines, pairsFrom } from './random-pairs.ts';

await compareWithTrl({
  name: 'reward',
  rows: { flag: 'pairs', default: '4' },
  data: (path) =>
    jsonLines(
      pairsFrom(path).map(({ prompt, chosen, rejected }) => ({ prompt, chosen, rejected })),
    ),
  trl: { 'TRL, default': [], 'TRL, no recomputation': ['--no-gradient-checkpointing'] },
  keel: { 'Keel, recomputation': ['--gradient-checkpointing', 'on'] },
});
