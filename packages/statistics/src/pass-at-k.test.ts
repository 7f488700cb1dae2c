import { describe, expect, test } from 'vitest';
import { meanPassAtK, passAtK } from './pass-at-k.ts';

/** Binomial coefficient, for small numbers. */
const choose = (n: number, k: number): number =>
  k < 0 || k > n ? 0 : k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k;

describe('one problem', () => {
  test('is 1 - C(n - c, k) / C(n, k)', () => {
    for (let samples = 1; samples <= 12; samples++) {
      for (let passed = 0; passed <= samples; passed++) {
        for (let k = 1; k <= samples; k++) {
          const expected = 1 - choose(samples - passed, k) / choose(samples, k);
          expect(passAtK({ samples, passed }, k)).toBeCloseTo(expected, 12);
        }
      }
    }
  });

  test('k = 1 is the share that passed; none passed, and enough passed', () => {
    expect(passAtK({ samples: 8, passed: 3 }, 1)).toBeCloseTo(3 / 8, 12);
    expect(passAtK({ samples: 8, passed: 0 }, 8)).toBe(0);
    expect(passAtK({ samples: 8, passed: 1 }, 8)).toBe(1);
  });

  test('many samples do not overflow', () => {
    const value = passAtK({ samples: 100_000, passed: 1000 }, 100);
    // Drawing with and without replacement hardly differ here.
    expect(value).toBeCloseTo(1 - 0.99 ** 100, 3);
  });

  test('is unbiased: its mean over binomial outcomes is 1 - (1 - p)^k', () => {
    const [n, k, p] = [7, 3, 0.3];
    let expected = 0;
    for (let passed = 0; passed <= n; passed++) {
      const probability = choose(n, passed) * p ** passed * (1 - p) ** (n - passed);
      expected += probability * passAtK({ samples: n, passed }, k);
    }
    expect(expected).toBeCloseTo(1 - (1 - p) ** k, 12);
  });

  test('too few samples and invalid counts are errors', () => {
    expect(() => passAtK({ samples: 4, passed: 4 }, 5)).toThrow('needs 5 samples');
    expect(() => passAtK({ samples: 4, passed: 5 }, 1)).toThrow('5 of 4 samples passed');
    expect(() => passAtK({ samples: 4, passed: 1 }, 0)).toThrow('pass@0');
  });
});

test('mean over problems, with an interval', () => {
  const problems = Array.from({ length: 40 }, (_, index) => ({ samples: 4, passed: index % 5 }));
  const found = meanPassAtK(problems, 2);
  expect(found).toMatchObject({ k: 2, problems: 40 });
  expect(found.value).toBeCloseTo((0 + 0.5 + 5 / 6 + 1 + 1) / 5, 12);
  expect(found.interval[0]).toBeLessThan(found.value);
  expect(found.interval[1]).toBeGreaterThan(found.value);
  expect(meanPassAtK(problems, 2)).toEqual(found);
  expect(() => meanPassAtK([...problems, { samples: 1, passed: 0 }], 2)).toThrow(
    /^problem 40: pass@2 .* 1$/,
  );
  expect(() => meanPassAtK([], 1)).toThrow('pass@1');
});
