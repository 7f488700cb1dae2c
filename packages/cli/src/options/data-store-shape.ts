// Options of the verbs that work on the preference store.
import { option, trainingShape, variant } from '@keel/align/config';
import { DEFAULT_DATABASE } from '@keel/studio/names';
import { z } from 'zod';

export const databaseOption = option(z.string().min(1).nullable().default(null), {
  description:
    'preference store: a SQLite file, which is created, or a postgres:// URL. A URL with a password belongs in KEEL_DATABASE',
  group: 'Model and data',
  value: 'file',
  common: true,
  shownDefault: `KEEL_DATABASE, otherwise ${DEFAULT_DATABASE}`,
});

export const projectOption = option(z.string().min(1), {
  description: 'name of the project',
  group: 'Model and data',
  value: 'name',
  common: true,
});

/** Options of verbs that list what is in the store. */
export const listingShape = {
  limit: option(z.number().int().min(1).max(10_000).default(20), {
    description: 'how many are shown',
    group: 'Output',
    value: 'n',
    common: true,
  }),
  offset: option(z.number().int().min(0).default(0), {
    description: 'how many are passed over before',
    group: 'Output',
    value: 'n',
  }),
  json: variant(trainingShape.json, { common: true }),
};

/** The options that say how files become tasks. */
export const taskReadingShape = {
  person: option(z.string().min(1).default('imported'), {
    description: 'who gave the verdicts of rows that name nobody',
    group: 'Model and data',
    value: 'name',
    common: true,
  }),
  question: option(z.string().min(1).nullable().default(null), {
    description: "question of Argilla's records that has the verdicts",
    group: 'Model and data',
    value: 'name',
    shownDefault: 'the only one that can be',
  }),
};
