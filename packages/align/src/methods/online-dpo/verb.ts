// `keel online-dpo`, registered.

import { onlineStage } from '../online/online-stage.ts';
import { methodVerb } from '../registration/method-verb.ts';
import { onlineDpoDefinition } from './online-dpo-options.ts';

export const onlineDpoVerb = methodVerb({
  name: 'online-dpo',
  summary: 'align a model on pairs of its own answers, ranked by a reward (online DPO)',
  example:
    'npx keel online-dpo --data prompts.jsonl --reward runs/reward/final --output runs/online --max-new-tokens 64',
  definition: onlineDpoDefinition,
  run: async () => (await import('./online-dpo.ts')).runOnlineDpo,
  stage: {
    ...onlineStage,
    // There is always a reference.
    otherPasses: ({ numIterations }) => ({ always: 5, trained: numIterations }),
  },
});
