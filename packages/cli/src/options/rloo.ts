export { rlooDefinition as definition } from '../torch-free/align-config.ts';

export const example =
  'npx keel rloo --data prompts.jsonl --reward length:-200 --output runs/rloo --max-new-tokens 64';
