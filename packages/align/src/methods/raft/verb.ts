// `keel raft`, registered.

import { onlineStage } from '../online/online-stage.ts';
import { methodVerb } from '../registration/method-verb.ts';
import { raftDefinition } from './raft-options.ts';

export const raftVerb = methodVerb({
  name: 'raft',
  summary: 'fine-tune a model on its own answers with the best rewards (rejection sampling, RAFT)',
  example:
    'npx keel raft --data prompts.jsonl --reward runs/reward/final --output runs/raft --num-generations 8 --max-new-tokens 64',
  definition: raftDefinition,
  run: async () => (await import('./raft.ts')).runRaft,
  stage: {
    ...onlineStage,
    // Only the kept answers are trained on; all are sampled, judged, and scored by policy and
    // reference.
    otherPasses: ({ lora, keep, numGenerations, numIterations }) => ({
      always: lora ? 5 : 3,
      trained: (numIterations * (keep ?? numGenerations)) / numGenerations,
    }),
  },
});
