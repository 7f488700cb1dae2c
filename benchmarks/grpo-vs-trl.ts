// Compares GRPO with TRL's GRPOTrainer: 16 completions of exactly 48 tokens per step, 4 per prompt,
// with LoRA (or all weights with --full).
//   node benchmarks/grpo-vs-trl.ts --python <a Python with benchmarks/trl/requirements.txt>
//     [--data prompts.jsonl] [--model folder]
// By default the prompts are random words, about 150 tokens each; --data can be for example
// examples/data/concise-train.jsonl.
import { compareWithTrl } from './compare-with-trl.ts';
import { jsonLines, pairsFrom } from './random-pairs.ts';

await compareWithTrl({
  name: 'grpo',
  rows: { flag: 'prompts', default: '4' },
  data: (path) => jsonLines(pairsFrom(path).map(({ prompt }) => ({ prompt }))),
  tokens: 'completion tokens/s',
  trl: { 'TRL, default': [], 'TRL, no recomputation': ['--no-gradient-checkpointing'] },
  keel: { 'Keel, recomputation': ['--gradient-checkpointing', 'on'] },
});
