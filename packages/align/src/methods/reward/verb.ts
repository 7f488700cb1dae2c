// `keel reward`, registered.
import { methodVerb } from '../registration/method-verb.ts';
import { rewardDefinition } from './reward-options.ts';

export const rewardVerb = methodVerb({
  name: 'reward',
  summary: 'train a reward model on pairs, rankings or step labels',
  example:
    'npx keel reward --data pairs.jsonl --eval-data held-out.jsonl --output runs/reward --lora',
  definition: rewardDefinition,
  run: async () => (await import('./run-reward.ts')).runReward,
  stage: {
    gives: 'reward model',
    rows: 'judged',
  },
});
