export { grpoDefinition as definition } from '../torch-free/align-config.ts';

export const example =
  'npx keel grpo --data prompts.jsonl --reward reward.ts --output runs/grpo --max-new-tokens 64';
