export { reinforceDefinition as definition } from '../torch-free/align-config.ts';

export const example =
  'npx keel reinforce --data prompts.jsonl --reward reward.ts --output runs/reinforce --max-new-tokens 64';
