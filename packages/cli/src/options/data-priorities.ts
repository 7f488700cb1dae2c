import { defineOptions, option } from '@keel/align/config';
import { z } from 'zod';
import { filesShape, operand } from './data-shape.ts';
import { databaseOption, projectOption } from './data-store-shape.ts';
import { withOperand } from './operand.ts';

export { operand };

const { columns, onBadRow, json } = filesShape;

const schema = z.strictObject({
  files: option(z.array(z.string().min(1)).min(1), {
    description:
      'rows with a "priority", and the "task" that it is of or the prompt and answers of one: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    group: 'Model and data',
    reads: 'rows',
  }),
  project: projectOption,
  database: databaseOption,
  source: option(z.string().trim().min(1).max(200).nullable().default(null), {
    description: 'who computed the priorities, or from what; people see it on the page of a task',
    group: 'Project',
    value: 'name',
    common: true,
    shownDefault: 'the column priority_source, otherwise file',
  }),
  ...{ columns, onBadRow, json },
});

export const definition = withOperand(
  operand,
  defineOptions('data priorities', schema, { complete: (parsed) => parsed }),
);

export type DataPrioritiesOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data priorities scores.jsonl --project helpful --source my-model';
