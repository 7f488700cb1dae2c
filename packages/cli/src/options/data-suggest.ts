import { defineOptions, option } from '@keel/align/config';
import { z } from 'zod';
import { databaseOption, projectOption } from './data-store-shape.ts';
import { definition as label } from './label.ts';
import { callShape, machineShape } from './shared.ts';

const group = 'Judge';
const { judge, rubric, judgeCache, retryFailed, templateDate } = label.schema.shape;

const schema = z.strictObject({
  project: projectOption,
  database: databaseOption,
  judge,
  ...{ rubric, judgeCache, retryFailed, templateDate },
  limit: option(z.number().int().min(1).nullable().default(null), {
    description: 'ask about this many pairs at most',
    group,
    value: 'pairs',
    common: true,
    shownDefault: 'all that are open',
  }),
  again: option(z.boolean().default(false), {
    description: 'ask again where the judge has made a suggestion',
    group,
    common: true,
  }),
  ...machineShape,
  ...callShape,
});

export const definition = defineOptions('data suggest', schema, { complete: (parsed) => parsed });

export type DataSuggestOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data suggest --project helpful --judge judge.yaml';
