import { compareDefinition, compareJsonSchema } from '@keel/align/config';

export const definition = compareDefinition;

export const example =
  'npx keel compare --objectives dpo,ipo,kto,simpo,orpo --data pairs.jsonl --eval-data held-out.jsonl --output runs/compare --lora';

/** Options, and the entries of the comparison. */
export const jsonSchema = compareJsonSchema;
