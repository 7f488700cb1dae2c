// `keel ppo`, registered.

import { onlineStage } from '../online/online-stage.ts';
import { methodVerb } from '../registration/method-verb.ts';
import { mixesText } from '../supervised/mixes-text.ts';
import { ppoDefinition } from './ppo-options.ts';

export const ppoVerb = methodVerb({
  name: 'ppo',
  summary: 'align a model to a reward with PPO; all roles can share one base model',
  example:
    'npx keel ppo --data prompts.jsonl --reward runs/reward/final --output runs/ppo --max-new-tokens 64',
  definition: ppoDefinition,
  run: async () => (await import('./ppo.ts')).runPpo,
  stage: {
    ...onlineStage,
    ...mixesText,
  },
});
