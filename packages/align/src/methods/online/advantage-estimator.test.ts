import { expect, it } from 'vitest';
import { RolloutLayout } from '../../objectives/online/rollout.ts';
import { AdvantageEstimator } from './advantage-estimator.ts';

const layout = RolloutLayout.of([2, 1, 1, 1], [0, 0, 1, 1]);
const rewarded = {
  ...{ layout, scores: [1, 3, 5, 5], kl: null, klCoefficient: 0, values: null },
};
const close = (found: Float64Array, expected: number[]): void => {
  expect(found.length).toBe(expected.length);
  expected.forEach((one, at) => void expect(found[at]).toBeCloseTo(one, 9));
};

it('compares answers with the others to their prompt', () => {
  const { advantages, zeroVariance, returns } = new AdvantageEstimator({
    kind: 'leave_one_out',
  }).estimate(rewarded);
  close(advantages, [-2, -2, 2, 0, 0]);
  expect(zeroVariance).toBe(0.5);
  expect(returns).toBeNull();
  const group = new AdvantageEstimator({ kind: 'group', scaling: 'none' }).estimate(rewarded);
  close(group.advantages, [-1, -1, 1, 0, 0]);
});

it('takes KL off where it is part of the reward', () => {
  const kl = { kl: [1, 1, 0, 0, 0], klCoefficient: 0.5 };
  const found = new AdvantageEstimator({ kind: 'leave_one_out' }).estimate({ ...rewarded, ...kl });
  close(found.advantages, [-3, -3, 3, 0, 0]);
});

it('has a running baseline that is part of its state', () => {
  const running = { kind: 'running', decay: 0.5 } as const;
  const estimator = new AdvantageEstimator(running);
  // The first batch: each against the mean of the others.
  close(estimator.estimate(rewarded).advantages, [-10 / 3, -10 / 3, -2 / 3, 2, 2]);
  const other = new AdvantageEstimator(running);
  other.restore(estimator.state());
  close(other.estimate(rewarded).advantages, [-2.5, -2.5, -0.5, 1.5, 1.5]);
  expect(new AdvantageEstimator({ kind: 'batch' }).state()).toBeNull();
});

it('whitens completions, or the tokens of generalised advantages', () => {
  const whole = new AdvantageEstimator({ kind: 'batch' }, { whitens: true }).estimate(rewarded);
  const [first, , , last] = whole.advantages;
  expect(first).toBeCloseTo(-2.5 / Math.sqrt(11 / 3), 6);
  expect(last).toBeCloseTo(1.5 / Math.sqrt(11 / 3), 6);
  const gae = { kind: 'gae', gamma: 1, lambda: 1, whitenRewards: false } as const;
  const values = [0.5, 0.5, 1, 1, 1];
  const { advantages, returns } = new AdvantageEstimator(gae).estimate({ ...rewarded, values });
  close(advantages, [0.5, 0.5, 2, 4, 4]);
  close(returns!, [1, 1, 3, 5, 5]);
  const white = new AdvantageEstimator(gae, { whitens: true }).estimate({ ...rewarded, values });
  const sum = white.advantages.reduce((all, one) => all + one, 0);
  expect(sum).toBeCloseTo(0, 9);
  expect(white.returns).toEqual(returns);
});
