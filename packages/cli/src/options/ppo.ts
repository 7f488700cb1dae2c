export { ppoDefinition as definition } from '../torch-free/align-config.ts';

export const example =
  'npx keel ppo --data prompts.jsonl --reward runs/reward/final --output runs/ppo --max-new-tokens 64';
