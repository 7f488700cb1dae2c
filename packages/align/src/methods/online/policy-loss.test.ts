import { gradients, type Tensor, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { stepTotals } from '../../objectives/online/loss-reductions.ts';
import { RolloutLayout } from '../../objectives/online/rollout.ts';
import { type PolicyTokens, reinforceTerm, surrogateTerm } from './policy-loss.ts';
import type { CorrectionOptions } from './rollout-server-options.ts';

const layout = RolloutLayout.of([2, 1]);
const logprobs = [-1, -0.5, -2];
const advantages = Float64Array.of(1, 1, -2);

/** Loss and gradient of a step whose sampler is off by these log-ratios. */
function stepOf(
  own: Partial<CorrectionOptions>,
  logRatios: readonly number[],
  kind: 'surrogate' | 'reinforce' = 'surrogate',
) {
  const options = {
    ...{ temperature: 1, maxNewTokens: 4, entropyBonus: 0 },
    ...{ clipRange: 0.2, clipRangeHigh: null, dualClip: null },
    ...{ rollouts: null, rolloutCorrection: 'auto' as const, rolloutCorrectionMax: 3, ...own },
  };
  return tidy(() => {
    const wide = { dtype: 'float64' } as const;
    const policy = tensor(logprobs, wide).setRequiresGrad();
    const part = (values: Float64Array): Tensor => tensor([...values], wide);
    const tokens: PolicyTokens = {
      ...{ layout, totals: stepTotals([layout]), policy, entropy: policy.detach(), part },
      ...{ old: policy.detach(), reference: null },
      sampler: logprobs.map((one, at) => one - logRatios[at]!),
    };
    const how = { kl: null, level: 'token', reduction: 'dapo' } as const;
    const term =
      kind === 'surrogate'
        ? surrogateTerm(options, advantages, how)
        : reinforceTerm(options, advantages, null);
    const { total, correction } = term.loss(tokens);
    const [slope] = gradients(total, [policy]);
    return {
      gradient: slope!.toArray() as number[],
      weights: correction === undefined ? null : [...correction.weights],
    };
  });
}

const close = (found: readonly number[], expected: readonly number[]): void =>
  found.forEach((one, at) => void expect(one).toBeCloseTo(expected[at]!, 12));

describe('a policy loss', () => {
  const off = [Math.log(2), Math.log(1.25), Math.log(0.5)];
  const server = { rollouts: ['http://one'] };

  it('is not corrected by default without servers', () => {
    expect(stepOf({}, off).weights).toBeNull();
    expect(stepOf({ ...server, rolloutCorrection: 'none' }, off).weights).toBeNull();
    close(stepOf({}, off).gradient, [-1 / 3, -1 / 3, 2 / 3]);
  });

  it('has the gradient of each answer times its ratio, masked above the bound', () => {
    const { gradient, weights } = stepOf(server, off);
    close(weights!, [2.5, 2.5, 0.5]);
    close(gradient, [-2.5 / 3, -2.5 / 3, 1 / 3]);
    const masked = stepOf({ ...server, rolloutCorrectionMax: 2 }, off);
    close(masked.gradient, [0, 0, 1 / 3]);
    const truncated = { ...server, rolloutCorrection: 'sequence_truncate' as const };
    close(stepOf({ ...truncated, rolloutCorrectionMax: 2 }, off).gradient, [-2 / 3, -2 / 3, 1 / 3]);
  });

  it('has the gradient of each token times its ratio with a mode of tokens', () => {
    for (const kind of ['surrogate', 'reinforce'] as const) {
      const own = { rolloutCorrection: 'token_mask', rolloutCorrectionMax: 1.5 } as const;
      const plain = stepOf({}, off, kind).gradient;
      const { gradient } = stepOf(own, off, kind);
      close(gradient, [0, 1.25 * plain[1]!, 0.5 * plain[2]!]);
    }
  });
});
