import { describe, expect, it } from 'vitest';
import { type Battle, BattleTable } from './battle-table.ts';
import { bradleyTerry } from './bradley-terry.ts';
import { eloRatings } from './elo.ts';
import { NoMaximumError } from './logistic-regression.ts';
import { nextPairs, pairGains } from './next-pairs.ts';
import { styleFeature, winProbability } from './rating-scale.ts';
import { resamplingRandom } from './resampling-random.ts';
import { golden } from './testing/golden.ts';

interface GoldenRating {
  rating: number;
  lower: number;
  upper: number;
}
interface GoldenRatings {
  battles: {
    model_a: string;
    model_b: string;
    winner: string;
    tokens_a: number;
    tokens_b: number;
    headers_a: number;
    headers_b: number;
  }[];
  bradley_terry: Record<string, GoldenRating>;
  bradley_terry_reweighted: Record<string, GoldenRating>;
  style: { table: Record<string, GoldenRating>; coefficients: { coeffs: number[] } };
  elo: Record<string, number>;
}

const file = golden<GoldenRatings>('ratings');
const outcomes: Record<string, number> = { model_a: 1, model_b: 0 };
const battles = file.battles.map(
  ({ model_a: a, model_b: b, winner }): Battle => ({ a, b, outcome: outcomes[winner] ?? 0.5 }),
);
const styled = BattleTable.of(
  file.battles.map((one, index) => ({
    ...battles[index]!,
    features: [
      styleFeature(one.tokens_a, one.tokens_b),
      styleFeature(one.headers_a, one.headers_b),
    ],
  })),
);
styled.standardiseFeatures();

describe('ratings equal to those of arena-rank', () => {
  it.each([
    ['as they are', bradleyTerry(battles), file.bradley_terry],
    ['pairs balanced', bradleyTerry(battles, { balancePairs: 50 }), file.bradley_terry_reweighted],
    ['style controlled', bradleyTerry(styled, { balancePairs: 50 }), file.style.table],
  ])('%s', (_, { ratings }, expected) => {
    expect(ratings.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
    for (const { name, rating, interval } of ratings) {
      const { rating: wanted, lower, upper } = expected[name]!;
      expect(Math.abs(rating / wanted - 1), name).toBeLessThan(1e-6);
      expect(Math.abs(interval[0] / lower - 1), name).toBeLessThan(3e-4);
      expect(Math.abs(interval[1] / upper - 1), name).toBeLessThan(3e-4);
    }
  });

  it('the effects of style', () => {
    const { coefficients } = bradleyTerry(styled, { balancePairs: 50 });
    for (const [index, { value, interval }] of coefficients.entries()) {
      expect(value).toBeCloseTo(file.style.coefficients.coeffs[index]!, 6);
      expect(interval[0]).toBeLessThan(value);
      expect(interval[1]).toBeGreaterThan(value);
    }
  });

  it('Elo', () => {
    for (const [name, rating] of eloRatings(battles))
      expect(rating).toBeCloseTo(file.elo[name]!, 9);
  });

  it("the four models of Bradley and Terry's worked example, 22 games", () => {
    // Wins of row over column, as in the article on the model in Wikipedia.
    const wins = { A: { B: 2, D: 1 }, B: { A: 3, C: 5 }, C: { B: 3, D: 1 }, D: { A: 4, C: 3 } };
    const games = Object.entries(wins).flatMap(([a, row]) =>
      Object.entries(row).flatMap(([b, n]) =>
        Array.from({ length: n }, () => ({ a, b, outcome: 1 })),
      ),
    );
    const { ratings } = bradleyTerry(games);
    const of = (name: string): number => ratings.find((one) => one.name === name)!.rating;
    expect(ratings.map(({ name }) => name)).toEqual(['D', 'B', 'C', 'A']);
    for (const [name, value] of Object.entries({
      A: 922.4271,
      B: 1007.3661,
      C: 927.7676,
      D: 1142.4392,
    }))
      expect(of(name)).toBeCloseTo(value, 3);
  });
});

describe('ratings', () => {
  const random = resamplingRandom(3);
  const strength: Record<string, number> = { strong: 1100, middle: 1000, weak: 900 };
  const drawn = Array.from({ length: 1500 }, (_, index): Battle => {
    const [a, b] = [
      ['strong', 'middle'],
      ['middle', 'weak'],
      ['weak', 'strong'],
    ][index % 3] as [string, string];
    return { a, b, outcome: Number(random() < winProbability(strength[a]!, strength[b]!)) };
  });

  it('recovers the ratings that battles were drawn from, and ranks', () => {
    const { ratings } = bradleyTerry(drawn);
    expect(ratings.map(({ name }) => name)).toEqual(['strong', 'middle', 'weak']);
    for (const { name, interval, ranks, battles: played } of ratings) {
      expect(interval[0]).toBeLessThan(strength[name]!);
      expect(interval[1]).toBeGreaterThan(strength[name]!);
      expect(ranks[0]).toBe(ranks[1]);
      expect(played).toBe(1000);
    }
  });

  it('gives bootstrap intervals close to those of the sandwich', () => {
    const sandwich = bradleyTerry(drawn).ratings;
    const bootstrap = bradleyTerry(drawn, { intervals: { resamples: 300, seed: 1 } }).ratings;
    for (const [index, { interval }] of sandwich.entries()) {
      const width = interval[1] - interval[0];
      for (const end of [0, 1] as const)
        expect(Math.abs(bootstrap[index]!.interval[end] - interval[end])).toBeLessThan(
          0.25 * width,
        );
    }
  });

  it('widens intervals where battles share a prompt', () => {
    const each = bradleyTerry(drawn).ratings[0]!;
    const repeated = drawn.flatMap((battle, index) =>
      Array.from({ length: 4 }, () => ({ ...battle, cluster: `prompt ${index}` })),
    );
    const clustered = bradleyTerry(repeated).ratings[0]!;
    expect(clustered.rating).toBeCloseTo(each.rating, 6);
    expect(clustered.interval[0]).toBeCloseTo(each.interval[0], 6);
    const naive = bradleyTerry(repeated.map(({ cluster: _, ...battle }) => battle)).ratings[0]!;
    expect(naive.interval[1] - naive.interval[0]).toBeCloseTo(
      (each.interval[1] - each.interval[0]) / 2,
      6,
    );
  });

  const tie = (a: string, b: string, n: number): Battle[] =>
    Array.from({ length: n }, () => ({ a, b, outcome: 0.5 }));

  it('suggests the pair that was compared least among equals, and then others', () => {
    const table = BattleTable.of([...tie('x', 'y', 50), ...tie('y', 'z', 50), ...tie('z', 'w', 2)]);
    const { ratings } = bradleyTerry(table);
    const counts = table.pairCounts(ratings.map(({ name }) => name));
    const found = nextPairs(ratings, counts, 6);
    expect(found.reduce((sum, { suggested }) => sum + suggested, 0)).toBe(6);
    expect(new Set(found.map(({ a, b }) => `${a} ${b}`)).size).toBe(found.length);
    expect([found[0]!.a, found[0]!.b]).toContain('w');
    expect(found[0]!.winProbability).toBeCloseTo(0.5, 12);
    for (const { errors, reduction } of found) {
      expect(errors[1]).toBeLessThan(errors[0]);
      expect(reduction).toBeGreaterThan(0);
    }
    const [one] = nextPairs(ratings, counts, 1);
    expect(found[0]!.reduction).toBeGreaterThan(one!.reduction);
    expect(found[0]!.reduction).toBeLessThan(found[0]!.suggested * one!.reduction);
    expect(nextPairs(ratings, counts, 0)).toEqual([]);
  });

  it('knows what each battle would tell, of some models only and of all', () => {
    const table = BattleTable.of([...tie('x', 'y', 9), ...tie('y', 'z', 4), ...tie('z', 'w', 2)]);
    const { ratings } = bradleyTerry(table);
    const names = ratings.map(({ name }) => name);
    const counts = table.pairCounts(names);
    const gains = pairGains(ratings, counts, null, names);
    expect(gains).toHaveLength(6);
    const best = gains.toSorted((one, other) => other.reduction - one.reduction)[0]!;
    const [next] = nextPairs(ratings, counts, 1);
    expect([best.a, best.b].sort()).toEqual([next!.a, next!.b].sort());
    expect(best.reduction).toBeCloseTo(next!.reduction, 10);
    // Of x and y alone on a path, Var(x - y) = 4 / 9: a battle adds 1 / 4 to 9 / 4.
    const [only, ...none] = pairGains(ratings, counts, null, ['x', 'y', 'nobody']);
    expect(none).toEqual([]);
    expect(only!.reduction).toBeCloseTo(1 / 10, 10);
  });

  it('predicts the variances after the battle that it suggests', () => {
    const played = [...tie('x', 'y', 6), ...tie('y', 'z', 4), ...tie('x', 'z', 9)];
    const total = (games: readonly Battle[]): { sum: number; of: (name: string) => number } => {
      const table = BattleTable.of(games);
      const { ratings } = bradleyTerry(table);
      const counts = table.pairCounts(ratings.map(({ name }) => name));
      // Ties only: each battle has the information 1/4, and the Laplacian's inverse is by hand.
      const [xy, yz, xz] = [
        ['x', 'y'],
        ['y', 'z'],
        ['x', 'z'],
      ].map(([a, b]) => {
        const at = (name: string): number => ratings.findIndex((one) => one.name === name);
        return counts.battles[at(a!)]![at(b!)]! / 4;
      }) as [number, number, number];
      const trees = xy * yz + yz * xz + xz * xy;
      const of = (name: string): number =>
        ({ xy: yz + xz, yz: xy + xz, xz: xy + yz })[name]! / trees;
      return { sum: of('xy') + of('yz') + of('xz'), of };
    };
    const table = BattleTable.of(played);
    const { ratings } = bradleyTerry(table);
    const counts = table.pairCounts(ratings.map(({ name }) => name));
    const [next] = nextPairs(ratings, counts, 1);
    const before = total(played);
    const after = total([...played, { a: next!.a, b: next!.b, outcome: 0.5 }]);
    expect(next!.reduction).toBeCloseTo(1 - after.sum / before.sum, 10);
    const pair = [next!.a, next!.b].sort().join('');
    expect(next!.errors[0]).toBeCloseTo((400 / Math.LN10) * Math.sqrt(before.of(pair)), 8);
    expect(next!.errors[1]).toBeCloseTo((400 / Math.LN10) * Math.sqrt(after.of(pair)), 8);
    expect([pair, next!.battles]).toEqual(['yz', 4]);
  });

  it('moves all ratings for an anchor', () => {
    const plain = bradleyTerry(drawn).ratings;
    const moved = bradleyTerry(drawn, { anchor: { name: 'weak', rating: 800 } }).ratings;
    expect(moved.at(-1)).toMatchObject({ name: 'weak', rating: 800 });
    for (const [index, { rating, interval, winRate }] of moved.entries()) {
      const shift = 800 - plain.at(-1)!.rating;
      expect(rating).toBeCloseTo(plain[index]!.rating + shift, 8);
      expect(interval[0]).toBeCloseTo(plain[index]!.interval[0] + shift, 8);
      expect(winRate).toBeCloseTo(plain[index]!.winRate, 12);
    }
    expect(() => bradleyTerry(drawn, { anchor: { name: 'absent', rating: 0 } })).toThrow(/absent/);
  });

  it('gives the mean probability to beat the others', () => {
    const { ratings } = bradleyTerry(drawn);
    const [best, middle, worst] = ratings;
    expect(best!.winRate).toBeCloseTo(
      (winProbability(best!.rating, middle!.rating) + winProbability(best!.rating, worst!.rating)) /
        2,
      12,
    );
    expect(ratings.reduce((sum, { winRate }) => sum + winRate, 0)).toBeCloseTo(1.5, 12);
  });

  it('counts battles and wins of pairs, with ties as half', () => {
    const table = BattleTable.of([
      { a: 'x', b: 'y', outcome: 1 },
      { a: 'y', b: 'x', outcome: 1 },
      { a: 'y', b: 'x', outcome: 0.5 },
      { a: 'z', b: 'x', outcome: 0 },
    ]);
    expect(table.pairCounts(['x', 'y', 'z'])).toEqual({
      battles: [
        [0, 3, 1],
        [3, 0, 0],
        [1, 0, 0],
      ],
      wins: [
        [0, 1.5, 1],
        [1.5, 0, 0],
        [0, 0, 0],
      ],
    });
  });

  it('a subset has the battles and clusters that were asked for', () => {
    const clustered = drawn.map((battle, index) => ({ ...battle, cluster: `${index % 100}` }));
    const table = BattleTable.of(clustered).where((index) => index % 2 === 0);
    const expected = bradleyTerry(clustered.filter((_, index) => index % 2 === 0));
    expect(bradleyTerry(table).ratings).toEqual(expected.ratings);
  });

  it('weights count like repeated battles', () => {
    const doubled = bradleyTerry(drawn.map((battle) => ({ ...battle, weight: 2 })));
    const once = bradleyTerry(drawn);
    for (const [index, { rating }] of once.ratings.entries())
      expect(doubled.ratings[index]!.rating).toBeCloseTo(rating, 8);
  });
});

describe('a likelihood without maximum', () => {
  const win = (a: string, b: string): Battle => ({ a, b, outcome: 1 });
  it.each([
    ['a model that won everything', [win('best', 'x'), win('x', 'y'), win('y', 'x')], /best won/],
    ['one that lost everything', [win('x', 'worst'), win('x', 'y'), win('y', 'x')], /worst lost/],
    [
      'groups that never met',
      [win('x', 'y'), win('y', 'x'), win('v', 'w'), win('w', 'v')],
      /v, w; x, y/,
    ],
    [
      'a group that lost to the rest',
      [win('x', 'y'), win('y', 'x'), win('v', 'w'), win('w', 'v'), win('x', 'v')],
      /x, y won.*v, w lost|v, w lost.*x, y won/,
    ],
  ])('%s', (_, games, named) => {
    expect(() => bradleyTerry(games)).toThrow(NoMaximumError);
    expect(() => bradleyTerry(games)).toThrow(named);
  });

  it('has one with a prior, whose intervals are those of the prior far from battles', () => {
    const games = [win('best', 'x'), win('x', 'y'), win('y', 'x'), win('v', 'w')];
    const { ratings } = bradleyTerry(games, { prior: 200 });
    expect(ratings[0]!.name).toBe('best');
    expect(ratings.reduce((sum, { rating }) => sum + rating, 0) / 5).toBeCloseTo(1000, 6);
    for (const { interval } of ratings) {
      const half = (interval[1] - interval[0]) / 2;
      expect(half).toBeGreaterThan(200);
      expect(half).toBeLessThan(1.96 * 200);
    }
    const weak = bradleyTerry(games, { prior: 20 }).ratings;
    expect(weak[0]!.rating - weak.at(-1)!.rating).toBeLessThan(20);
  });

  it('a wide prior changes nothing where there is a maximum', () => {
    const plain = bradleyTerry(battles).ratings;
    const wide = bradleyTerry(battles, { prior: 1e5 }).ratings;
    for (const [index, { rating, interval }] of wide.entries()) {
      expect(rating).toBeCloseTo(plain[index]!.rating, 3);
      expect(interval[0]).toBeCloseTo(plain[index]!.interval[0], 3);
    }
  });

  it('counts bootstrap samples that have none', () => {
    const games = [win('x', 'y'), win('y', 'x'), win('x', 'y')];
    const { skippedSamples, ratings } = bradleyTerry(games, { intervals: { resamples: 200 } });
    expect(skippedSamples).toBeGreaterThan(0);
    for (const { interval } of ratings) expect(interval.every(Number.isFinite)).toBe(true);
  });
});

describe('invalid battles', () => {
  it.each([
    ['none', [], /battle/],
    ['a model against itself', [{ a: 'x', b: 'x', outcome: 1 }], /battle 0 \(x against x\)/],
    ['an outcome above 1', [{ a: 'x', b: 'y', outcome: 2 }], /battle 0.*2/],
    ['a weight of 0', [{ a: 'x', b: 'y', outcome: 1, weight: 0 }], /battle 0.*weight.*0/],
    [
      'another number of features',
      [
        { a: 'x', b: 'y', outcome: 1, features: [1] },
        { a: 'x', b: 'y', outcome: 0 },
      ],
      /battle 1.*1.*0/,
    ],
  ])('%s', (_, games, message) => {
    expect(() => bradleyTerry(games)).toThrow(RangeError);
    expect(() => bradleyTerry(games)).toThrow(message);
  });
});
