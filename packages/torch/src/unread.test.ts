import { expect, test } from 'vitest';
import { later, memory, readAll, readTogether, tensor, tidy, type Unread } from './index.ts';

test('reads tensors of any types and shapes at once, exactly', () => {
  tidy(() => {
    const third = tensor([[1 / 3, -2]], { dtype: 'float32' });
    const read = readTogether({
      third,
      count: tensor(2 ** 40 + 1, { dtype: 'int64' }),
      none: tensor([]),
      absent: null,
      missing: undefined,
      flag: tensor([1, 0], { dtype: 'bool' }),
      short: tensor([0.1], { dtype: 'bfloat16' }),
      recorded: tensor([4]).setRequiresGrad().mul(2),
    });
    expect(read).toEqual({
      third: third.toArray(),
      count: [2 ** 40 + 1],
      none: [],
      absent: null,
      missing: undefined,
      flag: [1, 0],
      short: tensor([0.1], { dtype: 'bfloat16' }).toArray(),
      recorded: [8],
    });
    expect(readTogether({})).toEqual({});
  });
});

test('reads what was put off, after the tensors themselves are freed', () => {
  const before = memory().tensors;
  const unread = tidy((): Unread<unknown>[] => [
    later({ first: tensor([1, 2]), none: null }, ({ first, none }) => ({ first, none })),
    later({}, () => 'nothing'),
    later({ second: tensor([[3], [4]]) }, ({ second }) => second[1]!),
  ]);
  expect(readAll(unread)).toEqual([{ first: [1, 2], none: null }, 'nothing', 4]);
  expect(memory().tensors).toBe(before);
});
