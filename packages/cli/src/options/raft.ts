export { raftDefinition as definition } from '../torch-free/align-config.ts';

export const example =
  'npx keel raft --data prompts.jsonl --reward runs/reward/final --output runs/raft --num-generations 8 --max-new-tokens 64';
