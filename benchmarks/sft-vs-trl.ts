// Compares supervised fine-tuning with TRL's, with LoRA (or all weights with --full); the loss is
// on the chosen answers of preference rows.
//   node benchmarks/sft-vs-trl.ts --python <a Python with benchmarks/trl/requirements.txt>
//     [--data pairs.jsonl] [--model folder]
import { compareWithTrl } from './compare-with-trl.ts';
import { jsonLines, pairsFrom } from './random-pairs.ts';

await compareWithTrl({
  name: 'sft',
  rows: { flag: 'rows', default: '8' },
  data: (path) =>
    jsonLines(pairsFrom(path).map(({ prompt, chosen }) => ({ prompt, completion: chosen }))),
  trl: { 'TRL, default': [], 'TRL, no recomputation': ['--no-gradient-checkpointing'] },
  keel: { 'Keel, recomputation': ['--gradient-checkpointing', 'on'] },
});
