import { describe, expect, it } from 'vitest';
import { advantageScalings, groupAdvantages, leaveOneOutAdvantages } from './group-advantages.ts';
import { RolloutLayout } from './rollout.ts';

const layoutOf = (groups: number[]) =>
  RolloutLayout.of(
    groups.map(() => 1),
    groups,
  );
const close = (found: ArrayLike<number>, expected: readonly number[]): void =>
  expected.forEach((one, at) => {
    expect(Math.abs(found[at]! - one)).toBeLessThan(1e-12);
  });

describe('leaveOneOutAdvantages', () => {
  it('compare each with the mean of the others of its prompt, whatever their order', () => {
    const { advantages } = leaveOneOutAdvantages(layoutOf([4, 7, 4, 7, 4]), [1, 10, 2, 20, 6]);
    close(advantages, [1 - 4, 10 - 20, 2 - 3.5, 20 - 10, 6 - 1.5]);
  });

  it('sparse rewards stay small (NVIDIA-NeMo/RL#1518: a million)', () => {
    const { advantages } = leaveOneOutAdvantages(layoutOf([0, 0, 0, 0]), [1, 0, 0, 0]);
    close(advantages, [1, -1 / 3, -1 / 3, -1 / 3]);
  });
});

describe('groupAdvantages', () => {
  const layout = layoutOf([0, 0, 1, 1]);
  const rewards = [1, 3, 10, 50];

  it('divide by the std of the group, of the batch, or by nothing', () => {
    const of = (scaling: (typeof advantageScalings)[number]) =>
      groupAdvantages(layout, rewards, { scaling, epsilon: 0 }).advantages;
    const half = Math.SQRT1_2;
    close(of('group'), [-half, half, -half, half]);
    close(of('none'), [-1, 1, -20, 20]);
    const deviation = Math.sqrt(rewards.reduce((sum, one) => sum + (one - 16) ** 2, 0) / 3);
    close(
      of('batch'),
      [-1, 1, -20, 20].map((one) => one / deviation),
    );
  });

  it('groups with equal rewards are counted and give exactly 0, whatever the scaling (TRL#7068)', () => {
    const mixed = layoutOf([0, 0, 0, 1, 1, 1]);
    for (const scaling of advantageScalings) {
      const found = groupAdvantages(mixed, [0.35, 0.35, 0.35, 0, 1, 0], { scaling, epsilon: 0 });
      expect([...found.advantages].slice(0, 3)).toEqual([0, 0, 0]);
      expect([found.groups, found.zeroVariance]).toEqual([2, 1]);
      expect(found.advantages[4]).toBeGreaterThan(0);
    }
    expect(leaveOneOutAdvantages(mixed, [2, 2, 2, 0, 1, 0]).zeroVariance).toBe(1);
  });

  it('a residue of sums does not count as a deviation (NVIDIA-NeMo/RL#4161: 4000 times too large)', () => {
    const group = layoutOf(new Array(8).fill(0));
    const { advantages } = groupAdvantages(group, [0.35, ...new Array(7).fill(-0.25)]);
    for (const one of advantages) expect(Math.abs(one)).toBeLessThan(3);
  });

  it('one completion per prompt is an error, not NaN (ruc-datalab/DeepAnalyze#116)', () => {
    const single = layoutOf([0, 0, 3]);
    expect(() => groupAdvantages(single, [1, 2, 3])).toThrow(/prompt 3 has one completion/);
    expect(() => leaveOneOutAdvantages(single, [1, 2, 3])).toThrow(/prompt 3 has one completion/);
  });

  it('a NaN reward is an error that names it, not NaN for its group (TRL#5773)', () => {
    expect(() => groupAdvantages(layout, [1, Number.NaN, 1, 1])).toThrow(
      /reward of sequence 1 is NaN/,
    );
    expect(() => groupAdvantages(layout, [1, 2])).toThrow(/2 rewards for 4 sequences/);
  });

  it('the order of completions does not matter', () => {
    const there = groupAdvantages(layoutOf([0, 0, 1, 1]), [1, 3, 10, 50]).advantages;
    const back = groupAdvantages(layoutOf([1, 0, 1, 0]), [50, 3, 10, 1]).advantages;
    expect([...back]).toEqual([there[3], there[1], there[2], there[0]]);
  });

  it('lists the scalings for an unknown name', () => {
    expect(() => groupAdvantages(layout, rewards, { scaling: 'all' as 'none' })).toThrow(
      /group, batch, none/,
    );
  });
});
