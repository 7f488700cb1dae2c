import { describe, expect, it } from 'vitest';
import {
  completionEnd,
  pickScored,
  rewardsOfScored,
  scoredTokens,
} from './fixtures/completion-end.ts';
import { generalisedAdvantages } from './gae.ts';
import { RolloutLayout } from './rollout.ts';
import { tokenRewards } from './token-rewards.ts';

const options = { gamma: 0.9, lambda: 0.8 };
const close = (found: ArrayLike<number>, expected: readonly number[]): void => {
  expect(found.length).toBe(expected.length);
  expected.forEach((one, at) => {
    expect(Math.abs(found[at]! - one)).toBeLessThan(1e-14);
  });
};

describe('generalisedAdvantages', () => {
  it('is the discounted sum of the deltas (eq. 16)', () => {
    const layout = RolloutLayout.of([3]);
    const [rewards, values] = [
      [1, 2, 3],
      [0.5, -1, 4],
    ];
    const deltas = [1 + 0.9 * -1 - 0.5, 2 + 0.9 * 4 + 1, 3 - 4];
    const factor = 0.72;
    const { advantages, returns } = generalisedAdvantages(layout, { rewards, values }, options);
    close(advantages, [
      deltas[0]! + factor * deltas[1]! + factor ** 2 * deltas[2]!,
      deltas[1]! + factor * deltas[2]!,
      deltas[2]!,
    ]);
    close(
      returns,
      [...advantages].map((one, at) => one + values[at]!),
    );
  });

  it('lambda 1 is the return minus the value, lambda 0 the one-step error', () => {
    const layout = RolloutLayout.of([3]);
    const data = { rewards: [1, 2, 3], values: [0.5, -1, 4] };
    const whole = generalisedAdvantages(layout, data, { gamma: 1, lambda: 1 });
    close(whole.advantages, [5.5, 6, -1]);
    const step = generalisedAdvantages(layout, data, { gamma: 1, lambda: 0 });
    close(step.advantages, [-0.5, 7, -1]);
  });

  it('packed results equal those of single sequences, for any lengths', () => {
    const rewards = [1, 2, 3, 4, 5, 6];
    const values = [0.5, -1, 4, 2, 7, -3];
    const packed = generalisedAdvantages(RolloutLayout.of([2, 1, 3]), { rewards, values }, options);
    const alone = [
      [0, 2],
      [2, 3],
      [3, 6],
    ].flatMap(([begin, end]) => [
      ...generalisedAdvantages(
        RolloutLayout.of([end! - begin!]),
        { rewards: rewards.slice(begin, end), values: values.slice(begin, end) },
        options,
      ).advantages,
    ]);
    expect([...packed.advantages]).toEqual(alone);
  });

  it('carries across unscored tokens with a single factor, and ignores the critic there (miles#1827, ROLL#447)', () => {
    const scored = [[1, 1, 0, 0, 0, 1, 1]];
    const rows = scoredTokens(scored);
    const rewards = rewardsOfScored([0, 0, 0, 0, 0, 0, 1], scored);
    const found = [0, 1e9, Number.NaN].map((poison) =>
      generalisedAdvantages(
        rows.layout,
        { rewards, values: pickScored([1, 2, poison, poison, poison, 3, 4], rows) },
        options,
      ),
    );
    const plain = generalisedAdvantages(
      RolloutLayout.of([4]),
      { rewards: [0, 0, 0, 1], values: [1, 2, 3, 4] },
      options,
    );
    for (const one of found) expect(one).toEqual(plain);
  });

  it('a final unscored turn does not absorb the reward, even at gamma 0', () => {
    const scored = [[1, 1, 0, 0]];
    const rewards = rewardsOfScored([0, 0, 0, 5], scored);
    const { advantages } = generalisedAdvantages(
      scoredTokens(scored).layout,
      { rewards, values: [0, 0] },
      { gamma: 0, lambda: 0.95 },
    );
    expect([...advantages]).toEqual([0, 5]);
  });

  it('tokens after the end token have no effect', () => {
    const advantagesOf = (tail: number[]) => {
      const tokens = [7, 8, 2, ...tail];
      const { length, ended } = completionEnd(tokens, new Set([2]));
      const noise = tokens.map((_, at) => (at < 3 ? at : 1e6 * at));
      const layout = RolloutLayout.of([length]);
      const rewards = tokenRewards(layout, [ended ? 1 : -1], noise.slice(0, length), 0.1);
      return generalisedAdvantages(layout, { rewards, values: noise.slice(0, length) }, options);
    };
    expect(advantagesOf([2, 9, 9])).toEqual(advantagesOf([]));
  });

  it('a cut-off completion can continue with the value of its next state', () => {
    const layout = RolloutLayout.of([1, 1]);
    const data = { rewards: [1, 1], values: [0, 0], bootstrap: [0, 10] };
    close(generalisedAdvantages(layout, data, options).advantages, [1, 10]);
  });

  it('rejects inputs that do not fit', () => {
    const layout = RolloutLayout.of([2]);
    const data = { rewards: [1, 2], values: [1, 2] };
    expect(() => generalisedAdvantages(layout, { ...data, values: [1] }, options)).toThrow(
      /1 values for 2 scored tokens/,
    );
    expect(() => generalisedAdvantages(layout, data, { gamma: 1.1, lambda: 1 })).toThrow(/gamma/);
    expect(() =>
      generalisedAdvantages(layout, { ...data, values: [1, Number.NaN] }, options),
    ).toThrow(/value of token 1 is NaN/);
  });
});
