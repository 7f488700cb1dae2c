import { describe, expect, it } from 'vitest';
import { greedyBaselineAdvantages } from './greedy-baseline.ts';
import { RolloutLayout } from './rollout.ts';

const layout = RolloutLayout.of([1, 2, 1], [3, 8, 3]);

describe('greedyBaselineAdvantages', () => {
  it("compare each with its own prompt's greedy completion", () => {
    const greedy = new Map([
      [3, 1],
      [8, -2],
    ]);
    expect([...greedyBaselineAdvantages(layout, [1, 5, 4], greedy)]).toEqual([0, 7, 3]);
  });

  it('works with one completion per prompt, unlike groups', () => {
    const found = greedyBaselineAdvantages(RolloutLayout.of([4]), [2], new Map([[0, 0.5]]));
    expect([...found]).toEqual([1.5]);
  });

  it('names the prompt whose greedy reward is missing', () => {
    expect(() => greedyBaselineAdvantages(layout, [1, 5, 4], new Map([[3, 1]]))).toThrow(
      /prompt 8\b/,
    );
  });
});
