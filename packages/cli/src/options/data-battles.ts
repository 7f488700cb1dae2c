import { defineOptions, option } from '@keel/align/config';
import { z } from 'zod';
import { databaseOption, listingShape, projectOption } from './data-store-shape.ts';

const group = 'Project';
const shownDefault = 'all battles';
const text = z.string().min(1).optional();

const schema = z.strictObject({
  project: projectOption,
  database: databaseOption,
  model: option(text, {
    description: 'battles of this model',
    ...{ group, value: 'model', common: true, shownDefault },
  }),
  person: option(text, {
    description: 'battles of this person',
    ...{ group, value: 'name', common: true, shownDefault },
  }),
  leaked: option(z.boolean().optional(), {
    description: 'battles that do not count, since an answer names its model or maker',
    ...{ group, common: true, shownDefault },
  }),
  styleControl: option(z.boolean().default(false), {
    description: 'correct the ratings for length and Markdown',
    group: 'Ratings',
    common: true,
  }),
  ...listingShape,
});

export const definition = defineOptions('data battles', schema, { complete: (parsed) => parsed });

export type DataBattlesOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data battles --project arena';
