export { d2poDefinition as definition } from '../torch-free/align-config.ts';

export const example =
  'npx keel d2po --data prompts.jsonl --reward judge.yaml --gold-budget 500 --output runs/d2po --max-new-tokens 64';
