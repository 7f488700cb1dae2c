import { defineOptions, option, trainingShape, variant } from '@keel/align/config';
import { exportTargets, labelKinds } from '@keel/studio/names';
import { z } from 'zod';
import { filesShape } from './data-shape.ts';
import { databaseOption, projectOption } from './data-store-shape.ts';

const output = 'Output';

const schema = z.strictObject({
  project: projectOption,
  database: databaseOption,
  output: option(z.string().min(1), {
    description: 'file to write: .jsonl for rows that train, .json for argilla and label-studio',
    group: output,
    value: 'file',
  }),
  to: option(z.enum(exportTargets).default('pairs'), {
    description:
      'what to write: rows for training (demonstrations: better answers that people wrote, for keel sft), battles for keel rate, or tasks for another tool with their verdicts',
    group: output,
    common: true,
  }),
  labels: option(z.enum(labelKinds).default('majority'), {
    description:
      'how several verdicts become one label; majority: the answer with more votes, with the mean strength as margin; votes: label_probability is the share of the votes',
    group: output,
    common: true,
  }),
  minVotes: option(z.number().int().min(0).default(0), {
    description: 'skip tasks with fewer verdicts, unless an adjudicator has settled them',
    group: output,
    value: 'votes',
    common: true,
  }),
  edits: option(z.boolean().default(false), {
    description:
      'with --to pairs, also write each better answer that a person wrote as chosen, and the answer that it started from as rejected',
    group: output,
    common: true,
  }),
  overwrite: filesShape.overwrite,
  json: variant(trainingShape.json, { common: true }),
});

export const definition = defineOptions('data export', schema, { complete: (parsed) => parsed });

export type DataExportOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel data export --project helpful --labels votes --output preferences.jsonl';
