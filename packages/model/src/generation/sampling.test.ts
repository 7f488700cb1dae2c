import { type Tensor, tensor, tidy } from '@keel/torch';
import { expect, test } from 'vitest';
import {
  checkSampling,
  keepMinP,
  keepTopK,
  keepTopP,
  penaliseRepetition,
  shapeDistribution,
} from './sampling.ts';

const logs = (...rows: number[][]): Tensor =>
  tensor(rows.map((row) => row.map((p) => Math.log(p))));

/** Indices that remain in each row. */
function kept(logits: Tensor): number[][] {
  const [rows, size] = logits.shape as [number, number];
  const all = logits.toArray();
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: size }, (_, i) => i).filter(
      (i) => all[row * size + i] !== Number.NEGATIVE_INFINITY,
    ),
  );
}

test('top-k keeps k tokens, and those that tie with the last of them', () => {
  tidy(() => {
    const logits = tensor([
      [1, 4, 2, 3],
      [5, 2, 2, 1],
    ]);
    expect(kept(keepTopK(logits, 2))).toEqual([
      [1, 3],
      [0, 1, 2],
    ]);
    expect(kept(keepTopK(logits, 1))).toEqual([[1], [0]]);
    expect(kept(keepTopK(logits, 9))).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
  });
});

test('top-p keeps the smallest sufficiently likely set', () => {
  tidy(() => {
    const logits = logs([0.1, 0.45, 0.15, 0.3], [0.97, 0.01, 0.01, 0.01]);
    expect(kept(keepTopP(logits, 0.44))).toEqual([[1], [0]]);
    expect(kept(keepTopP(logits, 0.46))).toEqual([[1, 3], [0]]);
    expect(kept(keepTopP(logits, 0.76))).toEqual([[1, 2, 3], [0]]);
    expect(kept(keepTopP(logits, 0.001))).toEqual([[1], [0]]);
    expect(kept(keepTopP(logits, 0.9999))).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
  });
});

test('top-p over a flat vocabulary of thousands looks beyond the first candidates', () => {
  tidy(() => {
    const size = 3000;
    // Token i has a share proportional to 1 + i / size, so the set for p is the upper end.
    const weights = Array.from({ length: size }, (_, i) => 1 + i / size);
    const total = weights.reduce((sum, one) => sum + one, 0);
    let left = size;
    for (let sum = 0; sum < 0.7 * total; ) sum += weights[--left]!;
    const [set] = kept(keepTopP(logs(weights), 0.7));
    expect(set).toEqual(Array.from({ length: size - left }, (_, i) => left + i));
    expect(set!.length).toBeGreaterThan(256);
  });
});

test('min-p keeps tokens that are likely enough relative to the most likely', () => {
  tidy(() => {
    const logits = logs([0.5, 0.26, 0.14, 0.1], [0.25, 0.25, 0.25, 0.25]);
    expect(kept(keepMinP(logits, 0.5))).toEqual([
      [0, 1],
      [0, 1, 2, 3],
    ]);
    expect(kept(keepMinP(logits, 0.27))).toEqual([
      [0, 1, 2],
      [0, 1, 2, 3],
    ]);
    expect(kept(keepMinP(logits, 1))).toEqual([[0], [0, 1, 2, 3]]);
  });
});

test('the repetition penalty divides positive and multiplies negative logits, once each', () => {
  tidy(() => {
    const logits = tensor([
      [2, -2, 1, 0],
      [2, -2, 1, 0],
    ]);
    expect(penaliseRepetition(logits, [[0, 1, 0, 0], []], 2).toArray()).toEqual([
      1, -4, 1, 0, 2, -2, 1, 0,
    ]);
    expect(penaliseRepetition(logits, [[], [2, 3]], 4).toArray()).toEqual([
      2, -2, 1, 0, 2, -2, 0.25, 0,
    ]);
    expect(logits.toArray()).toEqual([2, -2, 1, 0, 2, -2, 1, 0]);
  });
});

test('the order: temperature, top-k, top-p, min-p', () => {
  tidy(() => {
    const logits = logs([0.4, 0.3, 0.2, 0.1]);
    const left = (options: object): number[] =>
      kept(shapeDistribution(logits, checkSampling(options)))[0]!;
    // Renormalised over the top 2, 0.4 is 57%: enough for 0.5 by itself. Over all four it is not.
    expect(left({ topK: 2, topP: 0.5 })).toEqual([0]);
    expect(left({ topP: 0.5 })).toEqual([0, 1]);
    // A low temperature makes the first sufficiently likely by itself: 0.4^4 is 72% of the sum of
    // fourth powers.
    expect(left({ temperature: 0.25, topP: 0.69 })).toEqual([0]);
    expect(left({ temperature: 1, topP: 0.69 })).toEqual([0, 1]);
    expect(left({ temperature: 0.25, minP: 0.3 })).toEqual([0, 1]);
    expect(left({ temperature: 1, minP: 0.3 })).toEqual([0, 1, 2]);
    expect(
      shapeDistribution(logits, checkSampling({ temperature: 2 }))
        .select(0, 0)
        .select(0, 0)
        .item(),
    ).toBeCloseTo(Math.log(0.4) / 2, 6);
  });
});

test.each([
  [{ temperature: -1 }, 'temperature'],
  [{ temperature: Number.NaN }, 'temperature'],
  [{ topK: 1.5 }, 'topK'],
  [{ topP: 0 }, 'topP'],
  [{ topP: 1.1 }, 'topP'],
  [{ minP: 2 }, 'minP'],
  [{ repetitionPenalty: 0 }, 'repetitionPenalty'],
])('%o is refused by name', (options, name) => {
  expect(() => checkSampling(options)).toThrow(new RegExp(`${name} must be .*got`));
});
