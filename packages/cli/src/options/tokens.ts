import { z } from 'zod';
import { viewVerbs } from '../tokenising/view-verbs.ts';
import { defineOptions, option } from '../torch-free/align-config.ts';
import { callShape, dataShape, modelShape } from './shared.ts';

// Adapters do not change tokens; a template that is saved with one is its file.
const { adapter: _, ...own } = modelShape;

const schema = z
  .strictObject({
    ...own,
    data: option(dataShape.data.nullable().default(null), {
      description: 'rows: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
      group: 'Data',
      value: 'path',
      commas: false,
    }),
    onBadRow: dataShape.onBadRow,
    rows: option(z.number().int().min(1).default(1), {
      description: 'how many rows are shown',
      group: 'Data',
    }),
    for: option(z.enum(viewVerbs).nullable().default(null), {
      description: 'show rows as this verb sees them (default: by the fields that the rows have)',
      group: 'Data',
      value: 'verb',
    }),
    text: option(z.string().nullable().default(null), {
      description: 'in place of --data: a text',
      group: 'Data',
      value: 'text',
      literal: true,
    }),
    maxLength: option(z.number().int().min(2).nullable().default(1024), {
      description:
        'maximum tokens of prompt and answer together; longer rows are cut (none: no limit)',
      group: 'Data',
      value: 'tokens',
    }),
    ...callShape,
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    if (value.data === null && value.text === null) add('data', 'give --data or --text');
    if (value.data !== null && value.text !== null) add('text', 'give --data or --text, not both');
  });

export const definition = defineOptions('tokens', schema, { complete: (parsed) => parsed });

export type TokensOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel tokens --data pairs.jsonl --rows 2';
