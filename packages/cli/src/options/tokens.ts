import { defineOptions, detailsOf, option, trainingShape, variant } from '@keel/align/config';
import { z } from 'zod';
import { callShape, dataShape, modelShape } from './shared.ts';
import { viewVerbs } from './view-verbs.ts';

// Adapters do not change tokens, and the template saved with one can be passed as a file.
const { adapter: _, model, ...own } = modelShape;

const schema = z
  .strictObject({
    ...own,
    model: variant(trainingShape.model, { description: detailsOf(model).description }),
    data: option(dataShape.data.nullable().default(null), {
      ...detailsOf(dataShape.data),
      common: true,
      shownDefault: 'use --text',
    }),
    onBadRow: dataShape.onBadRow,
    columns: dataShape.columns,
    wrapChat: dataShape.wrapChat,
    rows: option(z.number().int().min(1).default(1), {
      description: 'number of rows to show',
      group: 'Model and data',
      common: true,
    }),
    for: option(z.enum(viewVerbs).nullable().default(null), {
      description: 'show rows as this verb sees them',
      group: 'Model and data',
      value: 'verb',
      common: true,
      shownDefault: 'chosen by the fields of the rows',
    }),
    text: option(z.string().nullable().default(null), {
      description: 'text to tokenise',
      group: 'Model and data',
      literal: true,
      common: true,
      shownDefault: 'use --data',
    }),
    maxLength: option(z.number().int().min(2).nullable().default(1024), {
      description:
        'maximum tokens of prompt plus answer; longer rows are truncated; none: no limit',
      group: 'Model and data',
      value: 'tokens',
    }),
    ...callShape,
    json: variant(callShape.json, { common: true }),
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    if (value.data === null && value.text === null)
      add('data', 'rows or a text are required. Pass --data or --text');
    if (value.data !== null && value.text !== null)
      add('text', 'pass either --data or --text, not both');
  });

export const definition = defineOptions('tokens', schema, { complete: (parsed) => parsed });

export type TokensOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel tokens --data pairs.jsonl --rows 2';
