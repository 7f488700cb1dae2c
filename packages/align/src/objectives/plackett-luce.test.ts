import { gradcheck, gradients, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { allPairs } from './all-pairs.ts';
import { column, slopes, values } from './fixtures/columns.ts';
import { goldenOnline } from './fixtures/golden-online.ts';
import { plackettLuce } from './plackett-luce.ts';

const softplus = (x: number): number => Math.log1p(Math.exp(x));

describe('golden losses', () => {
  it('Plackett-Luce and all pairs of a prompt', () => {
    interface Ranking {
      scores: number[];
      loss: number;
      pairwise_bt_mean: number;
    }
    const rankings = goldenOnline<Ranking>('plackett-luce, best first');
    expect(rankings.length).toBeGreaterThan(0);
    for (const { scores, loss, pairwise_bt_mean: pairwise } of rankings) {
      const offsets = Int32Array.of(0, scores.length);
      const [whole] = values(() => plackettLuce(column(scores), offsets));
      expect(Math.abs(whole! - loss)).toBeLessThan(1e-9);
      const [mean] = values(() => allPairs(column(scores), offsets));
      expect(Math.abs(mean! - pairwise)).toBeLessThan(1e-9);
    }
  });
});

describe('rankings', () => {
  // Two prompts: four answers, and two.
  const scores = [0.7, -0.3, 1.1, 0.2, -2, 0.5];
  const offsets = Int32Array.of(0, 4, 6);
  const untied = { plackettLuce, allPairs } as const;

  it('both equal Bradley-Terry for a ranking of two', () => {
    for (const loss of Object.values(untied)) {
      expect(values(() => loss(column(scores), offsets))[1]).toBeCloseTo(softplus(2.5), 12);
    }
  });

  it('Plackett-Luce probabilities of all orders add up to 1', () => {
    const orders = (list: number[]): number[][] =>
      list.length < 2
        ? [list]
        : list.flatMap((first, at) =>
            orders(list.filter((_, other) => other !== at)).map((rest) => [first, ...rest]),
          );
    const all = orders(scores.slice(0, 4));
    expect(all).toHaveLength(24);
    const losses = values(() =>
      plackettLuce(
        column(all.flat()),
        Int32Array.from({ length: 25 }, (_, index) => 4 * index),
      ),
    );
    expect(losses.reduce((sum, loss) => sum + Math.exp(-loss), 0)).toBeCloseTo(1, 12);
  });

  it('groups are independent of each other', () => {
    for (const loss of Object.values(untied)) {
      const [first, second] = values(() => loss(column(scores), offsets));
      const apart = [scores.slice(0, 4), scores.slice(4)].map((part) =>
        values(() => loss(column(part), Int32Array.of(0, part.length))),
      );
      expect(first).toBeCloseTo(apart[0]![0]!, 12);
      expect(second).toBeCloseTo(apart[1]![0]!, 12);
    }
  });

  it('each has a gradient that matches finite differences, with ties and without', () => {
    const ranks = Int32Array.of(1, 2, 2, 3, 1, 2);
    tidy(() => {
      const leaf = column(scores).setRequiresGrad();
      gradcheck((s) => plackettLuce(s!, offsets), [leaf]);
      gradcheck((s) => plackettLuce(s!, offsets, ranks), [leaf]);
      gradcheck((s) => allPairs(s!, offsets, { centring: 0.1 }), [leaf]);
      gradcheck((s) => allPairs(s!, offsets, { ranks }), [leaf]);
    });
  });

  it("the gradient of Plackett-Luce is each choice's probability minus the choice", () => {
    const set = [0.7, -0.3, 1.1];
    const [slope] = slopes([set], (s) => plackettLuce(s!, Int32Array.of(0, 3)));
    const [a, b, c] = set.map(Math.exp) as [number, number, number];
    const [whole, rest] = [a + b + c, b + c];
    const expected = [a / whole - 1, b / whole + b / rest - 1, c / whole + c / rest];
    for (const [index, one] of expected.entries()) expect(slope![index]).toBeCloseTo(one, 12);
  });

  it('a constant added to all answers of a prompt changes neither', () => {
    const shifted = scores.map((score, index) => score + (index < 4 ? 40 : -3));
    for (const loss of Object.values(untied)) {
      const [before, after] = [scores, shifted].map((one) =>
        values(() => loss(column(one), offsets)),
      );
      for (const [index, one] of before!.entries()) expect(after![index]).toBeCloseTo(one, 11);
    }
  });

  it('ties carry no information about their own order', () => {
    const ranks = Int32Array.of(1, 2, 2, 3, 5, 5);
    const [a, b, c, d] = scores as [number, number, number, number];
    const below = (own: number, ...others: number[]): number =>
      Math.log1p(others.reduce((sum, other) => sum + Math.exp(other - own), 0));
    const [listwise, tied] = values(() => plackettLuce(column(scores), offsets, ranks));
    expect(listwise).toBeCloseTo(below(a, b, c, d) + below(b, d) + below(c, d), 12);
    expect(tied).toBe(0);
    const [pairwise, none] = values(() => allPairs(column(scores), offsets, { ranks }));
    const gaps = [a - b, a - c, a - d, b - d, c - d];
    expect(pairwise).toBeCloseTo(gaps.reduce((sum, gap) => sum + softplus(-gap), 0) / 5, 12);
    expect(none).toBe(0);
    const swapped = [a, c, b, d, ...scores.slice(4)];
    expect(values(() => plackettLuce(column(swapped), offsets, ranks))[0]).toBeCloseTo(
      listwise!,
      12,
    );
  });

  it('only ties give a loss of 0 with a gradient of 0', () => {
    const ranks = Int32Array.of(1, 1);
    const two = Int32Array.of(0, 2);
    expect(slopes([[3, -1]], (s) => allPairs(s!, two, { ranks }))).toEqual([[0, 0]]);
    expect(slopes([[3, -1]], (s) => plackettLuce(s!, two, ranks))).toEqual([[0, 0]]);
  });

  it.each(['float64', 'float32'] as const)('gaps of 1e4 stay finite in %s', (dtype) => {
    tidy(() => {
      const extreme = tensor([-1e4, 0, 1e4], { dtype }).setRequiresGrad();
      const three = Int32Array.of(0, 3);
      const listwise = plackettLuce(extreme, three);
      expect(listwise.toArray()).toEqual([3e4]);
      expect(gradients(listwise, [extreme])[0]!.toArray()).toEqual([-1, -1, 2]);
      const pairwise = allPairs(extreme, three);
      expect(pairwise.item()).toBeCloseTo(4e4 / 3, 2);
      const right = tensor([1e4, 0, -1e4], { dtype });
      expect(plackettLuce(right, three).toArray()).toEqual([0]);
      expect(allPairs(right, three).toArray()).toEqual([0]);
    });
  });

  it('reports what is wrong with the layout', () => {
    tidy(() => {
      const flat = column(scores);
      const at = (...bounds: number[]) => plackettLuce(flat, Int32Array.from(bounds));
      expect(() => at(0, 4)).toThrow('offsets go from 0 to 4, the scores from 0 to 6');
      expect(() => at(0, 5, 6)).toThrow('prompt 1 has 1 answers, not two or more');
      expect(() => at(0, 4, 3, 6)).toThrow('prompt 1 has -1 answers');
      expect(() => plackettLuce(flat, offsets, Int32Array.of(1, 2))).toThrow('2 ranks for 6');
      expect(() => plackettLuce(flat, offsets, Int32Array.of(1, 3, 2, 4, 1, 2))).toThrow(
        'prompt 0 has rank 2 after 3',
      );
      expect(() => allPairs(flat.view(3, 2), offsets)).toThrow('scores are [3,2]');
    });
  });
});
