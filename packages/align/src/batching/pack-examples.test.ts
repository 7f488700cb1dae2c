import { expect, it } from 'vitest';
import { packExamples } from './pack-examples.ts';

it('packs rows one after another as separate segments, and says which token predicts which', () => {
  const { packed, scored } = packExamples([
    { tokens: [10, 11, 12], scored: [false, false, true] },
    { tokens: [20, 21, 22, 23], scored: [true, true, false, true] },
  ]);
  expect([...packed.tokens]).toEqual([10, 11, 12, 20, 21, 22, 23]);
  expect([...packed.positions]).toEqual([0, 1, 2, 0, 1, 2, 3]);
  expect(packed.segments).toEqual([
    { start: 0, length: 3, prefix: -1 },
    { start: 3, length: 4, prefix: -1 },
  ]);
  // Nothing predicts token 20: the row before it is another text.
  expect([...scored.targets]).toEqual([12, 21, 23]);
  expect([...scored.rows]).toEqual([1, 3, 5]);
});
