import { comparisonValue } from '@keel/statistics';
import { describe, expect, it } from 'vitest';
import { type Candidate, type ChoiceOptions, chooseComparisons } from './choose-comparisons.ts';

/** Twenty prompts with three answers; the members disagree most on the first prompts. */
const rewards = Array.from({ length: 20 }, (_, prompt) => [
  [0, 0],
  [10 - prompt / 2, -(10 - prompt / 2)],
  [0.1, 0.1],
]);
const candidates = rewards.flatMap((_, prompt): Candidate[] => [
  { prompt, answers: [0, 1] },
  { prompt, answers: [0, 2] },
  { prompt, answers: [1, 2] },
]);
/** Pairs of answers whose members give rewards, chosen. */
const choose = (
  pairs: readonly Candidate[],
  rewardsOf: readonly (readonly (readonly number[])[])[],
  options: ChoiceOptions,
) => {
  const valued = pairs.map((candidate) => {
    const [one, other] = candidate.answers.map((at) => rewardsOf[candidate.prompt]![at]!);
    return { candidate, value: comparisonValue(one!.map((own, k) => own - other![k]!)) };
  });
  return chooseComparisons(valued, options);
};
const usual = { count: 6, by: 'disagreement', randomShare: 0, perPrompt: 1, seed: 3 } as const;

describe('the comparisons to ask for', () => {
  it('are those that the members disagree on most, one for each prompt', () => {
    const found = choose(candidates, rewards, usual);
    expect(found.map(({ prompt }) => prompt).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const { answers, why, value } of found) {
      expect(answers).toContain(1);
      expect(why).toBe('disagreement');
      expect(value.disagreement).toBeGreaterThan(10);
    }
  });

  it('are those with the most information, or the least certain ones', () => {
    const sure = [
      [
        [0, 0],
        [8, 8],
      ],
      [
        [0, 0],
        [0.1, 0.1],
      ],
      [
        [0, 0],
        [3, -3],
      ],
    ];
    const pairs = sure.map((_, prompt): Candidate => ({ prompt, answers: [0, 1] }));
    const first = (by: 'information' | 'uncertainty'): number =>
      choose(pairs, sure, { ...usual, by, count: 1 })[0]!.prompt;
    expect(first('information')).toBe(2);
    const unsure = choose(pairs, sure, { ...usual, by: 'uncertainty', count: 2 });
    expect(new Set(unsure.map(({ prompt }) => prompt))).toEqual(new Set([1, 2]));
  });

  it('have a random share, drawn from all pairs', () => {
    const seen = new Map<number, number>();
    for (let seed = 0; seed < 200; seed++) {
      const found = choose(candidates, rewards, { ...usual, randomShare: 0.5, seed });
      expect(found).toHaveLength(6);
      const random = found.filter(({ why }) => why === 'random');
      expect(random).toHaveLength(3);
      for (const { prompt } of random) seen.set(prompt, (seen.get(prompt) ?? 0) + 1);
    }
    // 600 draws of 20 prompts: 30 each, give or take 3.5 standard deviations.
    expect(seen.size).toBe(20);
    for (const count of seen.values()) expect(Math.abs(count - 30)).toBeLessThan(19);
  });

  it('have the answers in random order, and the chance that belongs to it', () => {
    const found = choose(candidates, rewards, { ...usual, count: 20 });
    const swapped = found.filter(({ answers: [one, other] }) => one > other);
    expect(swapped.length).toBeGreaterThan(3);
    expect(swapped.length).toBeLessThan(17);
    const two = [[[0], [2]]];
    for (const seed of [1, 2, 3, 4, 5]) {
      const [only] = choose([{ prompt: 0, answers: [0, 1] }], two, { ...usual, seed });
      const chance = 1 / (1 + Math.exp(only!.answers[0] === 1 ? -2 : 2));
      expect(only!.value.probability).toBeCloseTo(chance, 12);
    }
  });

  it('are the same with the same seed, and fewer where there are fewer', () => {
    const asked = { ...usual, randomShare: 0.4 };
    expect(choose(candidates, rewards, asked)).toEqual(choose(candidates, rewards, asked));
    expect(choose(candidates, rewards, { ...usual, count: 100 })).toHaveLength(20);
    const most = { ...usual, count: 100, perPrompt: 3 };
    expect(choose(candidates, rewards, most)).toHaveLength(60);
    expect(choose([], rewards, usual)).toEqual([]);
  });
});
