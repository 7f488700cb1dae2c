import { defineOptions, formatNames, option } from '@keel/align/config';
import { taskFormatNames } from '@keel/studio/names';
import { z } from 'zod';
import { filesShape, operand } from './data-shape.ts';
import { databaseOption, projectOption, taskReadingShape } from './data-store-shape.ts';
import { withOperand } from './operand.ts';

export { operand };

const { overwrite: _, ...reading } = filesShape;
const project = 'Project';

const schema = z.strictObject({
  ...reading,
  project: projectOption,
  database: databaseOption,
  from: option(z.enum(['auto', ...taskFormatNames, ...formatNames]).default('auto'), {
    description: 'format of the rows; auto: recognised by their columns, for each file',
    group: 'Model and data',
    value: 'format',
    common: true,
  }),
  score: option(z.string().min(1).nullable().default(null), {
    description: 'rating by which answers are compared, as in keel data convert',
    group: 'Model and data',
    value: 'name',
    shownDefault: 'depends on the format',
  }),
  ...taskReadingShape,
  overlap: option(z.number().int().min(1).max(100).nullable().default(null), {
    description: 'people who are to annotate each new task',
    group: project,
    value: 'people',
    common: true,
    shownDefault: "the project's, at first 1",
  }),
  gold: option(z.boolean().default(false), {
    description:
      'the verdicts of these rows are the known right ones: they are not counted as votes',
    group: project,
    common: true,
  }),
  guidelines: option(z.string().min(1).nullable().default(null), {
    description: 'file with the instructions for people; a changed text is a new version',
    group: project,
    reads: 'file',
    value: 'file',
    common: true,
    shownDefault: 'unchanged',
  }),
  seed: option(z.number().int().min(0).default(42), {
    description: 'seed of the order of the answers of a new task',
    group: project,
  }),
});

export const definition = withOperand(
  operand,
  defineOptions('data import', schema, { complete: (parsed) => parsed }),
);

export type DataImportOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel data import pairs.jsonl --project helpful --overlap 3 --guidelines guidelines.md';
