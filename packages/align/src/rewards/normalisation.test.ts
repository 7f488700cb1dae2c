import { describe, expect, test } from 'vitest';
import {
  measureNormalisation,
  normaliseRewards,
  parseNormalisation,
  serialiseNormalisation,
} from './normalisation.ts';

describe('normalisation', () => {
  const heads = [
    [1, 2, 3, 6],
    [-5, -5, 5, 9],
  ];

  test('the reference set has mean 0 in each head, and deviation 1 if requested', () => {
    for (const scale of [false, true]) {
      const measured = measureNormalisation(heads, { scale });
      const after = measureNormalisation(normaliseRewards(heads, measured));
      for (const [head, { mean, standardDeviation }] of after.heads.entries()) {
        expect(mean).toBeCloseTo(0, 12);
        const expected = scale ? 1 : measured.heads[head]!.standardDeviation;
        expect(standardDeviation).toBeCloseTo(expected, 12);
      }
    }
  });

  test('the file is read back', () => {
    const measured = measureNormalisation(heads, { scale: true });
    expect(parseNormalisation(serialiseNormalisation(measured), 'f.json')).toEqual(measured);
  });

  test('errors say what and where', () => {
    expect(() => parseNormalisation('{', 'a/f.json')).toThrow(/a\/f\.json .*JSON/);
    expect(() =>
      parseNormalisation('{"count":1,"scale":false,"heads":[{"mean":0}]}', 'a/f.json'),
    ).toThrow(/a\/f\.json .*heads\.0\.standardDeviation/);
    expect(() => measureNormalisation([])).toThrow('got no head');
    expect(() => measureNormalisation([[1], [1, 2]])).toThrow('got 1, 2');
    expect(() => measureNormalisation([[2, 2]], { scale: true })).toThrow('head 0 gives all 2');
    expect(() => normaliseRewards([[1]], measureNormalisation(heads))).toThrow(/2 heads, .*1/);
  });
});
