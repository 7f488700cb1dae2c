import { tidy } from '@keel/torch';
import { expect, it } from 'vitest';
import { RolloutBatch } from './rollout-batch.ts';
import { Rollouts } from './rollouts.ts';
import type { Training } from './training.ts';

const answers = {
  prompts: [[1, 2, 3], [4]],
  completions: [[10, 11], [12], [20]],
  groups: [0, 0, 1],
};
const advantages = Float64Array.of(1 / 3, -2, 0, 1e-300);

const kinds: [Training, number[][]][] = [
  [{ kind: 'advantages', advantages }, [[0], [1], [2]]],
  [
    {
      ...{ kind: 'advantages', advantages },
      critic: { values: Float64Array.of(1, 2, 3, 4), returns: Float64Array.of(4, 3, 2, 1) },
    },
    [[0], [1], [2]],
  ],
  [{ kind: 'pairs', pairs: [{ chosen: 1, rejected: 0, margin: 0.1 }] }, [[1, 0]]],
  [{ kind: 'kept', sequences: [0, 2] }, [[0], [2]]],
];

it.each(kinds)('is restored from its state exactly: %o', (training, units) => {
  const rollouts = new Rollouts([30, 5], answers, [-0.1, -0.2, -0.3, -0.4]);
  rollouts.logprobs.reference = Float64Array.of(-1, -2, -3, -4);
  const batch = new RolloutBatch({ number: 7, rollouts, training, metrics: { reward: 0.1 } });
  expect(batch.units).toEqual(units);
  tidy(() => {
    const state = batch.state();
    const values = JSON.parse(JSON.stringify(state.values));
    const found = RolloutBatch.from({ values, tensors: state.tensors });
    expect(found).toEqual(batch);
    expect(found.rollouts.logprobs.old).toBeNull();
    expect([...found.rollouts.groups]).toEqual([0, 0, 1]);
    const other = { ...values, training: { kind: 'other' } };
    expect(() => RolloutBatch.from({ values: other, tensors: state.tensors })).toThrow(/trains on/);
    state.tensors.delete('rollout/completions');
    expect(() => RolloutBatch.from({ values, tensors: state.tensors })).toThrow(/no complete/);
  });
});
