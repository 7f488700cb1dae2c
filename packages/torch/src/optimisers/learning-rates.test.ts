// Parameters of two learning rates. Scaling a loss would not do, since AdamW's steps do not depend
// on it.
import { expect, it } from 'vitest';
import { fromTypedArray } from '../create.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import { AdamW } from './adamw.ts';

const start = (): Map<string, Tensor> =>
  new Map(
    ['a', 'value/b'].map((name) => [
      name,
      fromTypedArray(Float32Array.of(1, -2)).keep().setRequiresGrad(),
    ]),
  );
const how = {
  rateOf: (name: string) => (name.startsWith('value/') ? 3 : 1),
  weightDecay: 0.1,
};
const learn = (parameters: Map<string, Tensor>, optimiser: AdamW, steps: number): void => {
  for (let step = 0; step < steps; step++) {
    tidy(() => {
      for (const one of parameters.values()) one.square().sum().backward();
      optimiser.step(0.01);
      optimiser.zeroGrad();
    });
  }
};
const valuesOf = (parameters: Map<string, Tensor>): number[][] =>
  [...parameters.values()].map((one) => one.detach().toArray());

it('moves one group at the rate and the other at a multiple, and resumes from a state', () => {
  const [both, plain, fast] = [start(), start(), start()];
  const optimiser = new AdamW(both, how);
  learn(both, optimiser, 5);
  const usual = new AdamW(plain, { weightDecay: 0.1 });
  learn(plain, usual, 5);
  expect(valuesOf(both)[0]).toEqual(valuesOf(plain)[0]);
  // At three times the rate from the first step.
  const tripled = new AdamW(fast, { weightDecay: 0.1 });
  for (let step = 0; step < 5; step++) {
    tidy(() => {
      for (const one of fast.values()) one.square().sum().backward();
      tripled.step(0.01 * 3);
      tripled.zeroGrad();
    });
  }
  expect(valuesOf(both)[1]).toEqual(valuesOf(fast)[1]);

  const again = start();
  tidy(() => {
    for (const [name, one] of again) one.detach().copy_(both.get(name)!.detach());
  });
  const resumed = new AdamW(again, how);
  resumed.restore(optimiser.state());
  learn(both, optimiser, 3);
  learn(again, resumed, 3);
  expect(valuesOf(again)).toEqual(valuesOf(both));
  expect(() => resumed.restore({ step: 1, tensors: new Map() })).toThrow(/lacks/);
  for (const one of [optimiser, usual, tripled, resumed]) one.dispose();
});

it('restores in which steps a group had no gradient', () => {
  const parameters = start();
  const optimiser = new AdamW(parameters, how);
  const value = new Map([['value/b', parameters.get('value/b')!]]);
  // During the critic's warm-up, the policy has no gradient.
  learn(value, optimiser, 4);
  learn(parameters, optimiser, 1);
  expect(optimiser.state().missed).toEqual({ a: 4 });

  const again = start();
  tidy(() => {
    for (const [name, one] of again) one.detach().copy_(parameters.get(name)!.detach());
  });
  const resumed = new AdamW(again, how);
  resumed.restore(optimiser.state());
  learn(parameters, optimiser, 2);
  learn(again, resumed, 2);
  expect(valuesOf(again)).toEqual(valuesOf(parameters));
  for (const one of [optimiser, resumed]) one.dispose();
});
