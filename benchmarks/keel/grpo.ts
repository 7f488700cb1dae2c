// Measures Keel's GRPO: time and completion tokens of each step, peak memory. Prints one JSON line,
// like benchmarks/trl/grpo.py.
import { fileURLToPath } from 'node:url';
import { trainGrpo } from '@keel/align';
import { measureRun } from './measure-run.ts';

const completions = 4;
const tokens = 48;

await measureRun({
  rows: { flag: 'prompts', default: '4' },
  train: (options, hooks) =>
    trainGrpo(
      {
        ...options,
        ...{ numGenerations: completions, maxNewTokens: tokens, minNewTokens: tokens },
        loss: 'dapo',
        reward: fileURLToPath(new URL('length-reward.ts', import.meta.url)),
      },
      hooks,
    ),
  answers: completions,
});
