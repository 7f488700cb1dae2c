import { defineOptions, option, trainingShape, variant } from '@keel/align/config';
import { z } from 'zod';
import { withOperand } from './operand.ts';

const schema = z.strictObject({
  files: option(z.array(z.string().min(1)).min(1), {
    description: 'rows to read: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    group: 'Model and data',
    reads: 'rows',
  }),
  output: option(z.string().min(1), { description: 'file to write', group: 'Output' }),
  json: variant(trainingShape.json, { common: true }),
});

export const operand = 'files';

export const definition = withOperand(
  operand,
  defineOptions('data convert', schema, { complete: (parsed) => parsed }),
);

export type DataConvertOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data convert sharegpt.json --output chats.jsonl';
