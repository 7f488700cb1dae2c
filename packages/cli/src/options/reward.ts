export { rewardDefinition as definition } from '../torch-free/align-config.ts';

export const example =
  'npx keel reward --data pairs.jsonl --eval-data held-out.jsonl --output runs/reward --lora';
