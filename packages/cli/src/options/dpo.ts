import {
  defineDpoOptions,
  pairedObjectiveNames,
  rankedObjectiveNames,
} from '../torch-free/align-config.ts';

export const definition = defineDpoOptions([...pairedObjectiveNames, ...rankedObjectiveNames]);

export const example =
  'npx keel dpo --data pairs.jsonl --eval-data held-out.jsonl --output runs/first --lora --beta 0.1';
