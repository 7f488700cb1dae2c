import { defineOptions, formatNames, option } from '@keel/align/config';
import { taskFormatNames } from '@keel/studio/names';
import { z } from 'zod';
import { filesShape, operand } from './data-shape.ts';
import { databaseOption, taskReadingShape } from './data-store-shape.ts';
import { withOperand } from './operand.ts';

export { operand };

const { columns, onBadRow, overwrite, json } = filesShape;

const schema = z
  .strictObject({
    files: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        'annotations: files of Argilla, Label Studio, battles or rows with votes; JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
      group: 'Model and data',
      reads: 'rows',
      shownDefault: 'those of --project',
    }),
    project: option(z.string().min(1).nullable().default(null), {
      description: 'project of the store, instead of files',
      group: 'Model and data',
      value: 'name',
      common: true,
      shownDefault: 'the files',
    }),
    database: databaseOption,
    from: option(z.enum(['auto', ...taskFormatNames, ...formatNames]).default('auto'), {
      description: 'format of the files; auto: recognised by their columns',
      group: 'Model and data',
      value: 'format',
    }),
    ...{ columns, onBadRow },
    ...taskReadingShape,
    independent: option(z.boolean().default(false), {
      description:
        "use each person's last verdict before a suggestion of a judge or reward model was shown, instead of the newest one",
      group: 'Model and data',
      flagOnly: true,
    }),
    consensus: option(z.string().min(1).nullable().default(null), {
      description:
        'JSON Lines file for the most probable verdict of each task, by the model of Dawid and Skene, which weighs people by their reliability',
      group: 'Output',
      value: 'file',
      common: true,
      shownDefault: 'not computed',
    }),
    ...{ overwrite, json },
  })
  .check(({ value, issues }) => {
    if ((value.files === null) === (value.project === null)) {
      issues.push({
        code: 'custom',
        path: ['project'],
        message:
          value.files === null
            ? 'pass files with annotations, or --project for those of the store'
            : 'pass either files or --project, not both',
        input: value,
      });
    }
  });

export const definition = withOperand(
  operand,
  defineOptions('data agreement', schema, { complete: (parsed) => parsed }),
);

export type DataAgreementOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data agreement --project helpful --consensus consensus.jsonl';
