import { z } from 'zod';
import { defineOptions, option } from '../torch-free/align-config.ts';
import { callShape, dataShape, machineShape, modelShape } from './shared.ts';

const schema = z.strictObject({
  ...modelShape,
  ...dataShape,
  maxLength: option(z.number().int().min(2).nullable().default(null), {
    description: 'tokens of prompt and answer together; longer rows are cut; none: never',
    group: 'Data',
    value: 'tokens',
  }),
  batchTokens: option(z.number().int().min(1).default(4096), {
    description: 'tokens of one forward pass, filled with rows of like length',
    group: 'Machine',
    value: 'tokens',
  }),
  ...machineShape,
  ...callShape,
});

export const definition = defineOptions('score', schema, { complete: (parsed) => parsed });

export type ScoreOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel score --adapter runs/first/final --data held-out.jsonl --json';
