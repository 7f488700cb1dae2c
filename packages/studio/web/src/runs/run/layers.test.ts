import { expect, test } from 'vitest';
import { layersOf } from './layers.ts';

const nodes = (text: string) => [...text].map((id) => ({ id }));
const edges = (...pairs: string[]) => pairs.map(([from, to]) => ({ from: from!, to: to! }));

test('each node is behind all that it was made from', () => {
  expect(layersOf(nodes('abcd'), edges('ab', 'bc', 'ac', 'cd'))).toEqual([
    ...[['a'], ['b'], ['c'], ['d']],
  ]);
});

test('what only a later node needs is next to it', () => {
  // The data `x` of `c` is not at the far left.
  expect(layersOf(nodes('abcx'), edges('ab', 'bc', 'xc'))).toEqual([['a'], ['b', 'x'], ['c']]);
});

test('a cycle ends, and a node made from itself', () => {
  expect(
    layersOf(nodes('ab'), edges('ab', 'ba', 'aa'))
      .flat()
      .sort(),
  ).toEqual(['a', 'b']);
  expect(layersOf([], [])).toEqual([]);
});
