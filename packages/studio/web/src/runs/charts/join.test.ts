import { expect, test } from 'vitest';
import { join } from './join.ts';

test('lines with their own steps become one table', () => {
  const table = join([
    { steps: [1, 3], values: [10, 30] },
    { steps: [0, 3], values: [-1, 3] },
  ]);
  expect(table).toEqual([
    [0, 1, 3],
    [null, 10, 30],
    [-1, null, 3],
  ]);
  expect(join([])).toEqual([[]]);
});
