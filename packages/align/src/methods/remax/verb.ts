// `keel remax`, registered.

import { onlineStage } from '../online/online-stage.ts';
import { methodVerb } from '../registration/method-verb.ts';
import { remaxDefinition } from './remax-options.ts';

export const remaxVerb = methodVerb({
  name: 'remax',
  summary: 'align a model to a reward with REINFORCE and the greedy answer as baseline (ReMax)',
  example:
    'npx keel remax --data prompts.jsonl --reward reward.ts --output runs/remax --max-new-tokens 64',
  definition: remaxDefinition,
  run: async () => (await import('./remax.ts')).runRemax,
  stage: onlineStage,
});
