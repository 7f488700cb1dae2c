import { describe, expect, it } from 'vitest';
import {
  type Battle,
  bradleyTerry,
  eloRatings,
  nextPair,
  standardise,
  styleFeature,
  winProbability,
} from './bradley-terry.ts';
import { NoMaximumError } from './logistic-regression.ts';
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
const styled = standardise(
  file.battles.map((one) => [
    styleFeature(one.tokens_a, one.tokens_b),
    styleFeature(one.headers_a, one.headers_b),
  ]),
);

describe('ratings equal to those of arena-rank', () => {
  it.each([
    ['as they are', bradleyTerry(battles), file.bradley_terry],
    ['pairs balanced', bradleyTerry(battles, { balancePairs: 50 }), file.bradley_terry_reweighted],
    [
      'style controlled',
      bradleyTerry(
        battles.map((battle, index) => ({ ...battle, features: styled[index]! })),
        { balancePairs: 50 },
      ),
      file.style.table,
    ],
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
    const { coefficients } = bradleyTerry(
      battles.map((battle, index) => ({ ...battle, features: styled[index]! })),
      { balancePairs: 50 },
    );
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

  it('suggests the pair that was compared least among equals', () => {
    const tie = (a: string, b: string, n: number): Battle[] =>
      Array.from({ length: n }, () => ({ a, b, outcome: 0.5 }));
    const ratings = bradleyTerry([...tie('x', 'y', 50), ...tie('y', 'z', 50), ...tie('z', 'w', 2)]);
    const found = nextPair(ratings)!;
    expect([found.a, found.b]).toContain('w');
    expect(found.gain).toBeGreaterThan(0);
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
