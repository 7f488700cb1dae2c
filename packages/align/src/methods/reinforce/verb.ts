// `keel reinforce`, registered.

import { onlineStage } from '../online/online-stage.ts';
import { methodVerb } from '../registration/method-verb.ts';
import { reinforceDefinition } from './reinforce-options.ts';

export const reinforceVerb = methodVerb({
  name: 'reinforce',
  summary: 'align a model to a reward with REINFORCE and a running or batch baseline',
  example:
    'npx keel reinforce --data prompts.jsonl --reward reward.ts --output runs/reinforce --max-new-tokens 64',
  definition: reinforceDefinition,
  run: async () => (await import('./reinforce.ts')).runReinforce,
  stage: onlineStage,
});
