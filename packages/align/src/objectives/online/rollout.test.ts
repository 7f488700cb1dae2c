import { gradcheck, gradients, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { constantLike, expectFinite, RolloutLayout } from './rollout.ts';

const wide = { dtype: 'float64' } as const;
const layout = RolloutLayout.of([2, 1, 3], [5, 9, 5]);
const values = [1, 2, 4, 8, 16, 32];

describe('RolloutLayout', () => {
  it('reports the range of each sequence and which sequences answer the same prompt', () => {
    expect([layout.sequences, layout.tokens]).toEqual([3, 6]);
    expect([...layout.offsets]).toEqual([0, 2, 3, 6]);
    expect([...layout.lengths]).toEqual([2, 1, 3]);
    expect([0, 1, 2].map((one) => layout.lastOf(one))).toEqual([1, 2, 5]);
    expect([...layout.members()]).toEqual([
      [5, [0, 2]],
      [9, [1]],
    ]);
    expect([...RolloutLayout.of([1, 1]).groups]).toEqual([0, 1]);
  });

  it('sums, averages and spreads numbers', () => {
    expect([...layout.sums(values)]).toEqual([3, 4, 56]);
    expect([...layout.means(values)]).toEqual([1.5, 4, 56 / 3]);
    expect([...layout.spread([7, 8, 9])]).toEqual([7, 7, 8, 9, 9, 9]);
  });

  it('does the same with tensors, gradients included', () => {
    tidy(() => {
      const token = tensor(values, wide).setRequiresGrad();
      const sequence = tensor([7, 8, 9], wide).setRequiresGrad();
      expect(layout.sumOver(token).toArray()).toEqual([3, 4, 56]);
      expect(layout.meanOver(token).toArray()).toEqual([...layout.means(values)]);
      expect(layout.spreadOver(sequence).toArray()).toEqual([7, 7, 8, 9, 9, 9]);
      gradcheck((input) => layout.sumOver(input), [token]);
      gradcheck((input) => layout.meanOver(input), [token]);
      gradcheck((input) => layout.spreadOver(input), [sequence]);
      const [slope] = gradients(layout.sumOver(token), [token], tensor([1, 2, 3], wide));
      expect(slope!.toArray()).toEqual([1, 1, 2, 3, 3, 3]);
    });
  });

  it('a sequence has the same sum, bit for bit, next to any other', () => {
    tidy(() => {
      const odd = [0.1, 0.7, -1e-9, 3e7, 0.3, 0.123];
      const packed = layout.sumOver(tensor(odd)).toArray();
      const alone = [
        [0, 2],
        [2, 3],
        [3, 6],
      ].map(([begin, end]) =>
        RolloutLayout.of([end! - begin!])
          .sumOver(tensor(odd.slice(begin, end)))
          .item(),
      );
      expect(packed).toEqual(alone);
    });
  });

  it('returns a minibatch as a separate rollout', () => {
    const { layout: part, tokens } = layout.select([2, 0]);
    expect([...part.offsets]).toEqual([0, 3, 5]);
    expect([...part.groups]).toEqual([5, 5]);
    expect([...tokens]).toEqual([3, 4, 5, 0, 1]);
  });

  it('rejects invalid rollouts', () => {
    expect(() => RolloutLayout.of([])).toThrow(/at least one sequence/);
    expect(() => RolloutLayout.of([2, 0])).toThrow(/sequence 1 has 0 scored tokens/);
    expect(() => RolloutLayout.of([2, 1], [3])).toThrow(/1 group ids for 2 sequences/);
    expect(() => layout.sums([1, 2])).toThrow(/2 values for 6 scored tokens/);
    expect(() => layout.spread([1])).toThrow(/1 values for 3 sequences/);
  });

  it('reports a number that is not finite', () => {
    expect(() => expectFinite([1, Number.NaN], 'the score of sequence')).toThrow(
      /the score of sequence 1 is NaN/,
    );
  });

  it('makes constants with the type of another tensor', () => {
    tidy(() => {
      const made = constantLike([1, 2], tensor([1]));
      expect([made.dtype, made.requiresGrad]).toEqual(['float32', false]);
    });
  });
});
