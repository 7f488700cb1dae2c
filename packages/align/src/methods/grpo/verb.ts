// `keel grpo`, registered.

import { onlineStage } from '../online/online-stage.ts';
import { methodVerb } from '../registration/method-verb.ts';
import { mixesText } from '../supervised/mixes-text.ts';
import { grpoDefinition } from './grpo-options.ts';

export const grpoVerb = methodVerb({
  name: 'grpo',
  summary:
    'align a model to a reward, comparing answers to the same prompt (GRPO, Dr. GRPO, DAPO, GSPO)',
  example:
    'npx keel grpo --data prompts.jsonl --reward reward.ts --output runs/grpo --max-new-tokens 64',
  definition: grpoDefinition,
  run: async () => (await import('./grpo.ts')).runGrpo,
  stage: {
    ...onlineStage,
    ...mixesText,
  },
});
