export { remaxDefinition as definition } from '../torch-free/align-config.ts';

export const example =
  'npx keel remax --data prompts.jsonl --reward reward.ts --output runs/remax --max-new-tokens 64';
