import { bradleyTerry, resamplingRandom, winProbability } from '@keel/statistics';
import { describe, expect, test } from 'vitest';
import type { BattleCount } from '../store/battles.ts';
import type { BattleVote } from '../store/schema.ts';
import { chooseModels } from './choose-models.ts';
import { ARENA_PRIOR, outcomes } from './outcomes.ts';

const counted = (
  left: string,
  right: string,
  vote: BattleVote | null,
  count: number,
): BattleCount => ({ left, right, vote, count });
const keyOf = (models: readonly string[]): string => models.toSorted().join(' ');

/** How often each pair is drawn. */
function drawn(counts: readonly BattleCount[], times: number, randomShare: number) {
  const random = resamplingRandom(1);
  const pairs = new Map<string, number>();
  let byChance = 0;
  for (let at = 0; at < times; at++) {
    const { models, reason } = chooseModels(['a', 'b', 'c'], counts, { randomShare, random });
    pairs.set(keyOf(models), (pairs.get(keyOf(models)) ?? 0) + 1);
    if (reason === 'random') byChance += 1;
  }
  return { pairs, byChance };
}

test('without battles, every pair is drawn equally often', () => {
  const { pairs } = drawn([], 3000, 0);
  expect(pairs.size).toBe(3);
  // Five standard deviations of a binomial with 3000 draws of a third.
  for (const count of pairs.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
});

test('a random share stays, and draws all pairs', () => {
  const counts = [counted('a', 'b', 'left', 60), counted('a', 'b', 'right', 60)];
  const { pairs, byChance } = drawn(counts, 2000, 0.3);
  expect(Math.abs(byChance - 600)).toBeLessThan(110);
  // A pair that has met often is only drawn by chance.
  expect(Math.abs(pairs.get('a b')! - 200)).toBeLessThan(70);
  expect(drawn(counts, 200, 0).pairs.has('a b')).toBe(false);
  expect(drawn(counts, 200, 1).byChance).toBe(200);
});

describe('the pair that tells most', () => {
  const choose = (models: readonly string[], counts: readonly BattleCount[]) =>
    chooseModels(models, counts, { randomShare: 0, random: () => 0.5 });

  test('is one of a new model, also against models that have left', () => {
    const counts = [counted('a', 'b', 'tie', 40), counted('b', 'gone', 'left', 30)];
    const { models, reason, gain } = choose(['a', 'b', 'new'], counts);
    expect(models).toContain('new');
    expect(reason).toBe('information');
    expect(gain).toBeGreaterThan(0);
    expect(gain).toBeLessThan(1);
  });

  test('is not one that somebody is voting on just now', () => {
    const counts = [counted('a', 'b', 'tie', 9), counted('b', 'c', 'tie', 9)];
    expect(keyOf(choose(['a', 'b', 'c'], counts).models)).toBe('a c');
    const open = [...counts, counted('c', 'a', null, 30)];
    expect(keyOf(choose(['a', 'b', 'c'], open).models)).not.toBe('a c');
  });

  test('is not one whose winner is clear', () => {
    const counts = [
      ...[counted('best', 'middle', 'left', 30), counted('best', 'middle', 'right', 10)],
      ...[counted('middle', 'worst', 'left', 30), counted('middle', 'worst', 'right', 10)],
      ...[counted('best', 'worst', 'left', 39), counted('best', 'worst', 'right', 1)],
    ];
    expect(keyOf(choose(['best', 'middle', 'worst'], counts).models)).not.toBe('best worst');
  });
});

test('one model cannot battle', () => {
  const options = { randomShare: 0.3, random: Math.random };
  expect(() => chooseModels(['a'], [], options)).toThrow(RangeError);
});

/** The rule of earlier versions: pairs that met least, with a weight of 1 / (n + 1)². */
function leastMet(
  models: readonly string[],
  met: ReadonlyMap<string, number>,
  random: () => number,
) {
  const pairs = models.flatMap((one, at) => models.slice(at + 1).map((other) => [one, other]));
  const weights = pairs.map((pair) => 1 / ((met.get(keyOf(pair)) ?? 0) + 1) ** 2);
  let place = random() * weights.reduce((sum, weight) => sum + weight, 0);
  return pairs.find((_, at) => {
    place -= weights[at]!;
    return place < 0;
  })!;
}

/** Mean width of the models' intervals after battles between models of known strengths. */
function widthAfter(battles: number, seed: number, rule: 'information' | 'least met'): number {
  const random = resamplingRandom(seed);
  const strengths = new Map(
    [700, 820, 940, 1000, 1060, 1180, 1300, 1600].map((rating, at) => [`model-${at}`, rating]),
  );
  const models = [...strengths.keys()];
  const met = new Map<string, number>();
  const counts = new Map<string, BattleCount>();
  for (let at = 0; at < battles; at++) {
    const [left, right] =
      rule === 'least met'
        ? (leastMet(models, met, random) as [string, string])
        : chooseModels(models, [...counts.values()], { randomShare: 0.3, random }).models;
    met.set(keyOf([left, right]), (met.get(keyOf([left, right])) ?? 0) + 1);
    const wins = random() < winProbability(strengths.get(left)!, strengths.get(right)!);
    const vote = wins ? ('left' as const) : ('right' as const);
    const key = `${left} ${right} ${vote}`;
    const { count = 0 } = counts.get(key) ?? {};
    counts.set(key, counted(left, right, vote, count + 1));
  }
  const fought = [...counts.values()].flatMap(({ left, right, vote, count }) =>
    Array.from({ length: count }, () => ({ a: left, b: right, outcome: outcomes[vote!] })),
  );
  const { ratings } = bradleyTerry(fought, { prior: ARENA_PRIOR });
  const widths = ratings.map(({ interval }) => interval[1] - interval[0]);
  return widths.reduce((sum, width) => sum + width, 0) / widths.length;
}

test('intervals are narrower than with the pairs that met least', () => {
  const seeds = Array.from({ length: 12 }, (_, at) => at + 1);
  const mean = (rule: 'information' | 'least met'): number =>
    seeds.reduce((sum, seed) => sum + widthAfter(160, seed, rule), 0) / seeds.length;
  const [information, least] = [mean('information'), mean('least met')];
  expect(information).toBeLessThan(least);
});
