// `keel rloo`, registered.

import { onlineStage } from '../online/online-stage.ts';
import { methodVerb } from '../registration/method-verb.ts';
import { mixesText } from '../supervised/mixes-text.ts';
import { rlooDefinition } from './rloo-options.ts';

export const rlooVerb = methodVerb({
  name: 'rloo',
  summary: 'align a model to a reward with REINFORCE and a leave-one-out baseline (RLOO)',
  example:
    'npx keel rloo --data prompts.jsonl --reward length:-200 --output runs/rloo --max-new-tokens 64',
  definition: rlooDefinition,
  run: async () => (await import('./rloo.ts')).runRloo,
  stage: {
    ...onlineStage,
    ...mixesText,
  },
});
