import { gradients, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { batchBaselineAdvantages, reinforceLoss } from './reinforce.ts';

describe('reinforceLoss', () => {
  it('has the gradient -A and none to the advantages', () => {
    tidy(() => {
      const policy = tensor([-1, -2]).setRequiresGrad();
      const gains = tensor([3, -0.5]).setRequiresGrad();
      const loss = reinforceLoss(policy, gains);
      expect(loss.toArray()).toEqual([3, -1]);
      const [own, others] = gradients(loss, [policy, gains]);
      expect(own!.toArray()).toEqual([-3, 0.5]);
      expect(others).toBeNull();
    });
  });
});

describe('batchBaselineAdvantages', () => {
  it('are the differences from the mean', () => {
    expect([...batchBaselineAdvantages([1, 2, 6])]).toEqual([-2, -1, 3]);
  });
  it('are exactly 0 if all rewards are the same', () => {
    expect([...batchBaselineAdvantages([0.35, 0.35, 0.35])]).toEqual([0, 0, 0]);
  });
  it('reject a single completion, and a reward that is not finite', () => {
    expect(() => batchBaselineAdvantages([1])).toThrow(/sample at least 2/);
    expect(() => batchBaselineAdvantages([1, Number.NaN])).toThrow(/reward of sequence 1 is NaN/);
  });
});
