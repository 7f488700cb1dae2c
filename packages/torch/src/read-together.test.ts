import { expect, test } from 'vitest';
import { readTogether, tensor, tidy } from './index.ts';

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
