export { onlineDpoDefinition as definition } from '../torch-free/align-config.ts';

export const example =
  'npx keel online-dpo --data prompts.jsonl --reward runs/reward/final --output runs/online --max-new-tokens 64';
