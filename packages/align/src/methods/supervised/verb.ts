// `keel sft`, registered.
import { methodVerb } from '../registration/method-verb.ts';
import { sftDefinition } from './sft-options.ts';

export const sftVerb = methodVerb({
  name: 'sft',
  summary: 'fine-tune a model on chats, completions or texts (supervised)',
  example: 'npx keel sft --data chats.jsonl --eval-data held-out.jsonl --output runs/first --lora',
  definition: sftDefinition,
  run: async () => (await import('./run-sft.ts')).runSft,
  stage: {
    gives: 'language model',
    rows: 'supervised',
  },
});
