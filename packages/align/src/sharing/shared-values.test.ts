import { memory, tensor } from '@keel/torch';
import { expect, it } from 'vitest';
import { packValue, unpackValue } from './shared-values.ts';

it('sends plain values unchanged', () => {
  const value = {
    numbers: [0.1, -0, Number.NaN, Number.POSITIVE_INFINITY],
    nested: { list: [{ a: null, b: undefined }], text: 'é\n' },
    typed: Float64Array.of(1, Number.NaN),
    map: new Map([['a', [1]]]),
  };
  expect(unpackValue(packValue(value))).toEqual(value);
  expect(unpackValue(packValue(undefined))).toBeUndefined();
});

it('sends tensors with their type, their shape and their bits', () => {
  const before = memory().tensors;
  using wide = tensor([[1.5, Number.NaN]], { dtype: 'float64' });
  using narrow = tensor([0.1, 3], { dtype: 'bfloat16' });
  const sent = packValue({ columns: { wide, rest: [narrow] }, count: 2 });
  const found = unpackValue(sent) as {
    columns: { wide: typeof wide; rest: (typeof narrow)[] };
    count: number;
  };
  const { columns, count } = found;
  expect(count).toBe(2);
  expect(columns.wide.shape).toEqual([1, 2]);
  expect(columns.wide.dtype).toBe('float64');
  expect(columns.wide.toArray()).toEqual([1.5, Number.NaN]);
  expect(columns.rest[0]!.dtype).toBe('bfloat16');
  expect(columns.rest[0]!.toTypedArray()).toEqual(narrow.toTypedArray());
  columns.wide.dispose();
  columns.rest[0]!.dispose();
  expect(memory().tensors).toBe(before + 2);
});

it('refuses what cannot be sent', () => {
  expect(() => packValue({ reward: () => 1 })).toThrow();
});
