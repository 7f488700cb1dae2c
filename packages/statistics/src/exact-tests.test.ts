import { expect, test } from 'vitest';
import { mcnemarTest, signTest } from './exact-tests.ts';

test('sign test by hand', () => {
  expect(signTest(0, 0)).toBe(1);
  expect(signTest(5, 5)).toBe(1);
  expect(signTest(10, 0)).toBeCloseTo(2 / 1024, 15);
  expect(signTest(1, 9)).toBeCloseTo((2 * 11) / 1024, 15);
  expect(signTest(8, 2)).toBeCloseTo((2 * (1 + 10 + 45)) / 1024, 15);
  expect(signTest(2, 8)).toBe(signTest(8, 2));
});

test('many trials do not underflow', () => {
  // Normal approximation with continuity correction: z = 2.495 for 1080 of 2000 -> 0.00038.
  expect(signTest(1080, 920)).toBeCloseTo(0.00038, 5);
  expect(signTest(5000, 5000)).toBe(1);
});

test('McNemar only uses the items that changed', () => {
  const before = [true, false, false, false, false, false, false, true, false];
  const after = [true, true, true, true, true, true, true, false, false];
  expect(mcnemarTest(before, after)).toEqual({
    p: expect.closeTo((2 * 8) / 128, 15),
    gained: 6,
    lost: 1,
  });
  expect(() => mcnemarTest([true], [])).toThrow(RangeError);
});

test('rejects invalid counts', () => {
  expect(() => signTest(1.5, 2)).toThrow('1.5');
  expect(() => signTest(-1, 2)).toThrow(RangeError);
});
