import { expect, it } from 'vitest';
import { withinTime } from './within-time.ts';

const late = (): Error => new RangeError('too long');

it("returns the body's result, and throws its errors", () => {
  expect(withinTime(10_000, () => /a+/.exec('baa')?.[0], late)).toBe('aa');
  expect(() =>
    withinTime(
      10_000,
      () => {
        throw new TypeError('own');
      },
      late,
    ),
  ).toThrow('own');
});

it('interrupts an expression that would never end', () => {
  expect(() => withinTime(20, () => /^(a+)+$/.test(`${'a'.repeat(60)}!`), late)).toThrow(
    'too long',
  );
  expect(withinTime(10_000, () => 1, late)).toBe(1);
});
