import {
  columnsOption,
  convertPairings,
  option,
  targets,
  trainingShape,
  variant,
} from '@keel/align/config';
import { z } from 'zod';
import { dataShape } from './shared.ts';

const rows = 'Model and data';

/** Name of the option for the files that a verb of the group reads. */
export const operand = 'files';

/** Options of every verb of the group `data`. */
export const filesShape = {
  files: option(z.array(z.string().min(1)).min(1), {
    description: 'rows to read: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    group: rows,
    reads: 'rows',
  }),
  columns: variant(columnsOption(rows), { common: true }),
  onBadRow: variant(dataShape.onBadRow, { common: true }),
  overwrite: option(z.boolean().default(false), {
    description: 'replace existing files',
    group: 'Command line only',
    flagOnly: true,
    common: true,
  }),
  json: variant(trainingShape.json, { common: true }),
};

export const outputOption = option(z.string().min(1), {
  description: 'JSON Lines file to write',
  group: 'Output',
  value: 'file',
});

/** Options of verbs that write rows of another kind. */
export const targetShape = {
  to: option(z.enum(targets).nullable().default(null), {
    description:
      'kind of rows to write: sft (chats or answers), pairs, rankings, kto (answers with a label) or prompts',
    group: 'Output',
    common: true,
    shownDefault: 'the kind that the rows are',
  }),
  pairing: option(z.enum(convertPairings).default('best_worst'), {
    description:
      'pairs to make of a ranking; best_random: the best answer and a worse one at random',
    group: 'Output',
    common: true,
  }),
  seed: option(z.number().int().min(0).default(42), {
    description: 'seed for --pairing best_random',
    group: 'Output',
    common: true,
  }),
};
