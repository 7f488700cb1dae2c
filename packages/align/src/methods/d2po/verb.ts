// `keel d2po`, registered.

import { onlineStage } from '../online/online-stage.ts';
import { methodVerb } from '../registration/method-verb.ts';
import { d2poDefinition } from './d2po-options.ts';

export const d2poVerb = methodVerb({
  name: 'd2po',
  summary:
    'align a model on pairs of its own answers: a reward labels some, a discriminator trained on them the rest (D2PO)',
  example:
    'npx keel d2po --data prompts.jsonl --reward judge.yaml --gold-budget 500 --output runs/d2po --max-new-tokens 64',
  definition: d2poDefinition,
  run: async () => (await import('./d2po.ts')).runD2po,
  stage: {
    ...onlineStage,
    // As in online DPO, answers are sampled, then scored by policy and reference. The discriminator
    // scores them twice and is trained on pairs.
    otherPasses: ({ batchSize, numIterations, discriminatorEpochs: epochs, ...options }) => ({
      always: 7,
      trained: numIterations + (epochs * (options.discriminatorMemory ?? batchSize)) / batchSize,
    }),
  },
});
