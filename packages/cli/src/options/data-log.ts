import { defineOptions, option } from '@keel/align/config';
import { adminActions } from '@keel/studio/names';
import { z } from 'zod';
import { databaseOption, listingShape } from './data-store-shape.ts';

const group = 'Project';
const shownDefault = 'all';
const text = z.string().min(1).optional();

const schema = z.strictObject({
  database: databaseOption,
  person: option(text, {
    description: 'actions of this person',
    ...{ group, value: 'name', common: true, shownDefault },
  }),
  action: option(z.enum(adminActions).optional(), {
    description: 'actions of this kind',
    ...{ group, value: 'action', common: true, shownDefault },
  }),
  project: option(text, {
    description: 'actions on this project; it may be deleted',
    ...{ group, value: 'name', common: true, shownDefault },
  }),
  ...listingShape,
});

export const definition = defineOptions('data log', schema, { complete: (parsed) => parsed });

export type DataLogOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data log --project helpful';
