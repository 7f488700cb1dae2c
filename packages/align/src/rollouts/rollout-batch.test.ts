import { tidy } from '@keel/torch';
import { expect, it } from 'vitest';
import { RolloutBatch } from './rollout-batch.ts';

it('comes back from its state as it was', () => {
  const answers = {
    prompts: [[1, 2, 3], [4]],
    completions: [[10, 11], [12], [20]],
    groups: [0, 0, 1],
  };
  const batch = new RolloutBatch(7, [30, 5], answers, [-0.1, -0.2, -0.3, -0.4]);
  batch.numbers.advantages = Float64Array.of(1 / 3, -2, 0, 1e-300);
  batch.numbers.reference = Float64Array.of(-1, -2, -3, -4);
  batch.metrics = { reward: 0.1 };
  expect(batch.units).toEqual([[0], [1], [2]]);
  batch.units = [[1, 0]];
  tidy(() => {
    const state = batch.state();
    const values = JSON.parse(JSON.stringify(state.values));
    const found = RolloutBatch.from({ values, tensors: state.tensors });
    expect(found).toEqual(batch);
    expect(found.numbers.old).toBeNull();
    expect([...found.groups]).toEqual([0, 0, 1]);
    state.tensors.delete('rollout/completions');
    expect(() => RolloutBatch.from({ values, tensors: state.tensors })).toThrow(/no whole rollout/);
  });
});
