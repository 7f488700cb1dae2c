// `keel reinforce`, registered.

import { onlineStage } from '../online/online-stage.ts';
import { methodVerb } from '../registration/method-verb.ts';

export const reinforceVerb = methodVerb({
  name: 'reinforce',
  summary: 'align a model to a reward with REINFORCE and a running or batch baseline',
  example:
    'npx keel reinforce --data prompts.jsonl --reward reward.ts --output runs/reinforce --max-new-tokens 64',
  options: async () => (await import('./reinforce-options.ts')).reinforceDefinition,
  run: async () => (await import('./reinforce.ts')).runReinforce,
  stage: onlineStage,
});
