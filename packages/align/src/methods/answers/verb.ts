// `keel kto`, registered.
import { methodVerb } from '../registration/method-verb.ts';
import { ktoDefinition } from './kto-options.ts';

export const ktoVerb = methodVerb({
  name: 'kto',
  summary: 'align a model on single answers labelled good or bad (KTO, BCO)',
  example: 'npx keel kto --data thumbs.jsonl --eval-data held-out.jsonl --output runs/first --lora',
  definition: ktoDefinition,
  run: async () => (await import('./run-kto.ts')).runKto,
  stage: {
    gives: 'language model',
    rows: 'unpaired',
    // The reference's scores are cached; KTO's KL needs policy and reference on the mismatched
    // answer.
    otherPasses: ({ loss }) => ({ once: 1, always: loss === 'kto' ? 2 : 0 }),
  },
});
