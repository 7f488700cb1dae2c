import { describe, expect, it } from 'vitest';
import { moments, whiten } from './whitening.ts';

describe('whiten', () => {
  it('gives mean 0 and variance 1', () => {
    const white = whiten([1, 2, 4, 9], { epsilon: 0 });
    const { mean, variance } = moments(white);
    expect(Math.abs(mean)).toBeLessThan(1e-15);
    expect(Math.abs(variance - 1)).toBeLessThan(1e-15);
    expect(white[0]).toBeCloseTo((1 - 4) / Math.sqrt(38 / 3), 14);
  });

  it('keeps the mean on request, as for rewards', () => {
    expect(moments(whiten([1, 2, 4, 9], { keepMean: true })).mean).toBeCloseTo(4, 14);
  });

  it('equal numbers and a single one are finite', () => {
    expect([...whiten([0.35, 0.35, 0.35])]).toEqual([0, 0, 0]);
    expect([...whiten([3])]).toEqual([0]);
    expect([...whiten([3], { keepMean: true })]).toEqual([3]);
  });

  it('equal numbers have no variance, not the residue of their mean', () => {
    for (const one of [0.1, 0.3, 0.35, 0.4]) {
      expect(moments(new Array(7).fill(one)).variance).toBe(0);
    }
  });

  it('rejects NaN and empty input', () => {
    expect(() => whiten([1, Number.NaN])).toThrow(/value to whiten 1 is NaN/);
    expect(() => whiten([])).toThrow(/no numbers/);
  });
});
