import { defineOptions, option } from '@keel/align/config';
import type { SplitPart } from '@keel/align/converting';
import { z } from 'zod';
import { filesShape, operand } from './data-shape.ts';
import { withOperand } from './operand.ts';

export { operand };

const rows = 'Model and data';

/** `train=0.8` or `test=200`; null if it is something else. */
function partOf(text: string): SplitPart | null {
  const [, name, written] = /^\s*([\w-]+)\s*=\s*(\d+(?:\.\d+)?|\.\d+)\s*$/.exec(text) ?? [];
  if (name === undefined || written === undefined) return null;
  const size = Number(written);
  if (!(size > 0)) return null;
  if (written.includes('.')) return size < 1 ? { name, size, unit: 'share' } : null;
  return { name, size, unit: 'rows' };
}

const schema = z
  .strictObject({
    ...filesShape,
    output: option(z.string().min(1), {
      description:
        'folder for train.jsonl and held-out.jsonl; a name that ends in - or .jsonl is a prefix of their names',
      group: 'Output',
      value: 'folder',
    }),
    heldOut: option(z.number().positive().nullable().default(null), {
      description: 'held-out rows: a share below 1, or a number of rows',
      group: rows,
      value: 'size',
      common: true,
      shownDefault: '0.1',
    }),
    parts: option(
      z
        .array(
          z.string().refine((text) => partOf(text) !== null, {
            error:
              'expected name=size with a share below 1 or a number of rows, such as train=0.8 or test=200',
          }),
        )
        .min(2)
        .nullable()
        .default(null),
      {
        description:
          'several parts, such as train=0.8,dev=0.1,test=0.1; the last gets the remaining rows',
        group: rows,
        value: 'name=size',
        common: true,
        shownDefault: 'train and held-out',
      },
    ),
    by: option(z.enum(['prompt', 'row']).default('prompt'), {
      description:
        'prompt: all rows of a prompt are in the same part; row: each row is drawn independently',
      group: rows,
      common: true,
    }),
    seed: option(z.number().int().min(0).default(42), {
      description: 'seed for drawing the parts',
      group: rows,
      common: true,
    }),
  })
  .check(({ value, issues }) => {
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    const { heldOut, parts } = value;
    if (heldOut !== null && parts !== null) {
      add('parts', 'pass either --held-out or --parts, not both');
    }
    if (heldOut !== null && heldOut >= 1 && !Number.isInteger(heldOut)) {
      add('heldOut', `expected a share below 1 or a whole number of rows, found ${heldOut}`);
    }
    if (parts === null) return;
    const found = parts.map(partOf);
    const names = found.map((one) => one?.name);
    const twice = names.find((name, at) => name !== undefined && names.indexOf(name) !== at);
    if (twice !== undefined) add('parts', `${twice} is listed twice`);
    const share = found.reduce((sum, one) => sum + (one?.unit === 'share' ? one.size : 0), 0);
    if (share > 1 + 1e-9) add('parts', `the shares add up to ${share}, which is more than 1`);
  });

export const definition = withOperand(
  operand,
  defineOptions('data split', schema, {
    complete: ({ heldOut, parts, ...parsed }) => ({
      ...parsed,
      parts: parts === null ? heldOutParts(heldOut ?? 0.1) : parts.map((text) => partOf(text)!),
    }),
  }),
);

/** The held-out rows are drawn first; the others are for training. */
const heldOutParts = (size: number): SplitPart[] => [
  { name: 'held-out', size, unit: size < 1 ? 'share' : 'rows' },
  { name: 'train', size: 1, unit: 'share' },
];

export type DataSplitOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel data split pairs.jsonl --held-out 0.1 --output data/split';
