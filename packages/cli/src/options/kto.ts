export { ktoDefinition as definition } from '../torch-free/align-config.ts';

export const example =
  'npx keel kto --data thumbs.jsonl --eval-data held-out.jsonl --output runs/first --lora';
