import { describe, expect, it } from 'vitest';
import { keptAnswers } from './kept-answers.ts';
import { bestOfEach } from './preference-pairs.ts';
import { RolloutLayout } from './rollout.ts';

const layout = RolloutLayout.of([1, 2, 3, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1, 2]);
const rewards = [0.5, 2, 2, -1, -1, -3, 0];

describe('keptAnswers', () => {
  it('keeps the best of each prompt, and the first of equal ones', () => {
    const best = keptAnswers(layout, rewards, { most: 1, threshold: null });
    expect(best).toEqual([1, 3, 6]);
    expect(best).toEqual(bestOfEach(layout, rewards));
    expect(keptAnswers(layout, rewards, { most: 2, threshold: null })).toEqual([1, 2, 3, 4, 6]);
  });

  it('keeps answers that reach a threshold, possibly none of a prompt', () => {
    expect(keptAnswers(layout, rewards, { most: null, threshold: 0 })).toEqual([0, 1, 2, 6]);
    expect(keptAnswers(layout, rewards, { most: 1, threshold: 0 })).toEqual([1, 6]);
    expect(keptAnswers(layout, rewards, { most: 2, threshold: 3 })).toEqual([]);
  });

  it('keeps everything by default', () => {
    expect(keptAnswers(layout, rewards, { most: null, threshold: null })).toHaveLength(7);
  });

  it('rejects a reward that is not a number', () => {
    const broken = rewards.with(2, Number.NaN);
    expect(() => keptAnswers(layout, broken, { most: 1, threshold: null })).toThrow(/sequence 2/);
  });
});
