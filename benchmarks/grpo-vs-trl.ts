// GRPO beside TRL's GRPOTrainer: 16 completions of exactly 48 tokens a step, 4 a prompt, with LoRA
// unless --full is given.
// node benchmarks/grpo-vs-trl.ts --python <a Python with benchmarks/trl/requirements.txt> [--data
//   prompts.jsonl] [--model folder]
// The prompts are random words, about 150 tokens each, unless --data is given, as
// examples/data/concise-train.jsonl.
import { besideTrl } from './beside-trl.ts';
import { jsonLines, pairsFrom } from './random-pairs.ts';

await besideTrl({
  name: 'grpo',
  rows: { flag: 'prompts', default: '4' },
  data: (path) => jsonLines(pairsFrom(path).map(({ prompt }) => ({ prompt }))),
  tokens: 'completion tokens/s',
  trl: { 'TRL, default': [], 'TRL, no recomputation': ['--no-gradient-checkpointing'] },
  keel: { 'Keel, recomputation': ['--gradient-checkpointing', 'on'] },
});
