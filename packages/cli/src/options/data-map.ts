import { defineOptions, option, rowReadingShape, variant } from '@keel/align/config';
import { z } from 'zod';
import { filesShape, operand, outputOption, targetShape } from './data-shape.ts';
import { withOperand } from './operand.ts';

export { operand };

const rows = 'Model and data';
const names = z.array(z.string().min(1)).min(1).nullable().default(null);

const schema = z
  .strictObject({
    ...filesShape,
    wrapChat: variant(rowReadingShape(rows).wrapChat, { common: true }),
    system: option(z.string().min(1).nullable().default(null), {
      description: 'system message for every chat that has none',
      group: rows,
      literal: true,
      common: true,
      shownDefault: 'no system message',
    }),
    keep: option(names, {
      description: "columns to write besides the row's own fields; all others are removed",
      group: rows,
      value: 'columns',
      common: true,
      shownDefault: 'all',
    }),
    drop: option(names, {
      description: "columns to remove, besides the row's own fields",
      group: rows,
      value: 'columns',
      common: true,
    }),
    output: outputOption,
    ...targetShape,
  })
  .check(({ value, issues }) => {
    if (value.keep === null || value.drop === null) return;
    const message = 'pass either --keep or --drop, not both';
    issues.push({ code: 'custom', path: ['drop'], message, input: value });
  });

export const definition = withOperand(
  operand,
  defineOptions('data map', schema, { complete: (parsed) => parsed }),
);

export type DataMapOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data map pairs.jsonl --wrap-chat --output chats.jsonl';
