import { gradcheck, gradients, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { klEstimators, klLoss, klPerToken } from './kl-estimators.ts';

const wide = { dtype: 'float64' } as const;
const logits = [0.3, -1.1, 0.8, 0.1];
const other = [-0.4, 0.2, 0.5, 1];

/**
 * Expectation over the policy's own samples, exactly: every token of the vocabulary, weighted by
 * its probability.
 */
const slopeOf = (estimator: 'k1' | 'k2' | 'k3', corrected: boolean): number[] =>
  tidy(() => {
    const table = tensor(logits, wide).setRequiresGrad();
    const policy = table.logSoftmax(0);
    const reference = tensor(other, wide).logSoftmax(0);
    const weights = policy.detach().exp();
    const ratio = policy.sub(policy.detach()).exp();
    const kl = klPerToken(estimator, policy, reference);
    const [slope] = gradients((corrected ? kl.mul(ratio) : kl).mul(weights).sum(), [table]);
    return slope!.toArray();
  });

const divergenceSlope = (direction: 'reverse' | 'forward'): number[] =>
  tidy(() => {
    const table = tensor(logits, wide).setRequiresGrad();
    const policy = table.logSoftmax(0);
    const reference = tensor(other, wide).logSoftmax(0);
    const divergence =
      direction === 'reverse'
        ? policy.exp().mul(policy.sub(reference)).sum()
        : reference.exp().mul(reference.sub(policy)).sum();
    return gradients(divergence, [table])[0]!.toArray();
  });

const close = (found: number[], expected: number[]): void =>
  found.forEach((one, at) => {
    expect(Math.abs(one - expected[at]!)).toBeLessThan(1e-14);
  });

describe('klPerToken', () => {
  it('k1 and k3 are unbiased, k2 is not', () => {
    tidy(() => {
      const policy = tensor(logits, wide).logSoftmax(0);
      const reference = tensor(other, wide).logSoftmax(0);
      const exact = policy.exp().mul(policy.sub(reference)).sum().item();
      const mean = (name: 'k1' | 'k2' | 'k3') =>
        klPerToken(name, policy, reference).mul(policy.exp()).sum().item();
      expect(Math.abs(mean('k1') - exact)).toBeLessThan(1e-15);
      expect(Math.abs(mean('k3') - exact)).toBeLessThan(1e-15);
      expect(Math.abs(mean('k2') - exact)).toBeGreaterThan(1e-3);
    });
  });

  it.each(klEstimators)('%s has a gradient that matches finite differences', (name) => {
    tidy(() => {
      const policy = tensor([-2.4, -1.7, -0.7, -9], wide).setRequiresGrad();
      const reference = tensor([-0.3, -0.3, -2.5, -1], wide);
      gradcheck((input) => klPerToken(name, input, reference), [policy]);
    });
  });

  it.each(klEstimators)('%s is finite at log-ratios of 1e3 in float32', (name) => {
    tidy(() => {
      const policy = tensor([-1e3, -1e-3]).setRequiresGrad();
      const kl = klPerToken(name, policy, tensor([0, -1e3]));
      expect(kl.isFinite()).toBe(true);
      expect(gradients(kl, [policy])[0]!.isFinite()).toBe(true);
    });
  });

  it('k3 raises a token that the policy has almost lost (OpenRLHF#1335: NaN; verl: no gradient)', () => {
    tidy(() => {
      const policy = tensor([-1e3], wide).setRequiresGrad();
      const [slope] = gradients(klPerToken('k3', policy, tensor([-1], wide)), [policy]);
      expect(slope!.item()).toBeLessThan(-1e8);
    });
  });

  it('lists the estimators for an unknown name', () => {
    tidy(() => {
      const zero = tensor([0]);
      expect(() => klPerToken('k4' as 'k3', zero, zero)).toThrow(/"k4".*k1, k2, k3/);
    });
  });
});

describe('klLoss', () => {
  it('k1 has no gradient in expectation, and is rejected (allenai/open-instruct#534)', () => {
    close(slopeOf('k1', false), [0, 0, 0, 0]);
    tidy(() => {
      const policy = tensor([-1]);
      expect(() => klLoss('k1', { policy, reference: policy }, 0.1)).toThrow(/use k2 or k3/);
    });
  });

  it('k2 has the gradient of KL(policy || reference)', () =>
    close(slopeOf('k2', false), divergenceSlope('reverse')));

  it('k3 has the gradient of KL(reference || policy)', () =>
    close(slopeOf('k3', false), divergenceSlope('forward')));

  it.each([
    'k1',
    'k3',
  ] as const)('%s times the importance ratio has the gradient of KL(policy || reference)', (name) =>
    close(slopeOf(name, true), divergenceSlope('reverse')));

  it('has a gradient (allenai/open-instruct#530), but none to the reference', () => {
    tidy(() => {
      const policy = tensor([-1, -2], wide).setRequiresGrad();
      const reference = tensor([-2, -1], wide).setRequiresGrad();
      const loss = klLoss('k3', { policy, reference }, 0.5);
      const [own, others] = gradients(loss, [policy, reference]);
      expect(own!.toArray()).toEqual([0.5 * (1 - Math.exp(-1)), 0.5 * (1 - Math.exp(1))]);
      expect(others).toBeNull();
    });
  });
});
