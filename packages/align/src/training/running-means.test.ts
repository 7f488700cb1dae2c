import { readAll, type Tensor, tensor, tidy } from '@keel/torch';
import { expect, it } from 'vitest';
import { RunningMeans } from './running-means.ts';

const meansOf = (momenta: Record<string, number> = {}): RunningMeans<Tensor, null> =>
  new RunningMeans({ value: (scores: Tensor) => scores }, null, momenta);
const add = (means: RunningMeans<Tensor, null>, pass: number[]): void =>
  tidy(() => means.add(readAll([means.observe(tensor(pass, { dtype: 'float64' }))])[0]!));
const see = (means: RunningMeans<Tensor, null>, ...passes: number[][]): void => {
  for (const pass of passes) add(means, pass);
  means.endStep();
};

it('is the mean over all finished steps, however they were divided into passes', () => {
  const [whole, cut] = [meansOf(), meansOf()];
  see(whole, [1, 2, 6]);
  see(cut, [1], [2, 6]);
  expect(whole.values).toEqual({ value: 3 });
  expect(cut.values).toEqual({ value: 3 });
  add(whole, [100]);
  expect(whole.values).toEqual({ value: 3 });
  whole.endStep();
  expect(whole.values).toEqual({ value: 109 / 4 });
});

it('a moving mean keeps its share from step to step', () => {
  const means = meansOf({ value: 0.9 });
  see(means, [2, 4]);
  expect(means.values.value).toBeCloseTo(0.3, 12);
  see(means, [1], [3, 8]);
  expect(means.values.value).toBeCloseTo(0.27 + 0.4, 12);
});
