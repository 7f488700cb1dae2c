export { sftDefinition as definition } from '../torch-free/align-config.ts';

export const example =
  'npx keel sft --data chats.jsonl --eval-data held-out.jsonl --output runs/first --lora';
