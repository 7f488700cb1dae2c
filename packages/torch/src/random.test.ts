import { expect, test } from 'vitest';
import { randn } from './create.ts';
import { manualSeed, randomState, setRandomState, withSeed } from './random.ts';

const draw = (): number[] => {
  using numbers = randn([4]);
  return numbers.toArray();
};

test('a seed gives the same numbers again', () => {
  manualSeed(7);
  const first = draw();
  expect(draw()).not.toEqual(first);
  manualSeed(7);
  expect(draw()).toEqual(first);
  manualSeed(8);
  expect(draw()).not.toEqual(first);
});

test('a saved state resumes exactly, even with half a pair of normal numbers left', () => {
  manualSeed(1);
  randn([1]).dispose();
  const state = randomState();
  const copy = state.slice();
  const following = [draw(), draw()];
  expect(state).toEqual(copy);
  setRandomState(state);
  expect([draw(), draw()]).toEqual(following);
});

test('withSeed restores the state, also after an exception', () => {
  manualSeed(5);
  const expected = [draw(), draw()];
  manualSeed(5);
  const first = draw();
  const inner = withSeed(99, draw);
  withSeed(99, () => {
    expect(withSeed(98, draw)).not.toEqual(inner);
    expect(draw()).toEqual(inner);
  });
  expect(() =>
    withSeed(1, () => {
      draw();
      throw new Error('inside');
    }),
  ).toThrow('inside');
  expect(() => withSeed(1, async () => draw())).toThrow(/withSeed.*promise/);
  expect(() => withSeed(-1, draw)).toThrow(/seed/);
  expect([first, draw()]).toEqual(expected);
});

test('seeds are exact or refused', () => {
  manualSeed(2n ** 53n);
  const even = draw();
  manualSeed(2n ** 53n + 1n);
  expect(draw()).not.toEqual(even);
  manualSeed(2n ** 64n - 1n);
  manualSeed(Number.MAX_SAFE_INTEGER);
  for (const wrong of [2 ** 53, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2n ** 64n, -1n]) {
    expect(() => manualSeed(wrong)).toThrow(/seed: /);
  }
});

test('an invalid state is refused and changes nothing', () => {
  manualSeed(3);
  const state = randomState();
  expect(() => setRandomState(new Uint8Array(10))).toThrow(/setRandomState: /);
  expect(() => setRandomState(new Uint8Array(state.length).fill(255))).toThrow(/setRandomState: /);
  expect(randomState()).toEqual(state);
  expect(() => randomState('nowhere')).toThrow(/randomState: .*nowhere/);
});
