import { describe, expect, it } from 'vitest';
import { shaped, shapedAgainst } from './reward-shapes.ts';

describe('the shape of a centred score', () => {
  it('sigmoid is the chance of beating the reference, and log_sigmoid its logarithm', () => {
    for (const score of [-3, -0.2, 0, 0.7, 5]) {
      const chance = 1 / (1 + Math.exp(-score));
      expect(shaped(score, 'sigmoid')).toBeCloseTo(chance, 14);
      expect(shaped(score, 'log_sigmoid')).toBeCloseTo(Math.log(chance), 12);
      expect(shaped(score, 'none')).toBe(score);
    }
    expect(shaped(0, 'sigmoid')).toBe(0.5);
    // Winning and losing are the only outcomes.
    expect(shaped(1.3, 'sigmoid') + shaped(-1.3, 'sigmoid')).toBeCloseTo(1, 14);
  });

  it('stays finite at 1e4, where log_sigmoid is linear and sigmoid is flat', () => {
    expect([1e4, -1e4].map((score) => shaped(score, 'sigmoid'))).toEqual([1, 0]);
    expect(shaped(1e4, 'log_sigmoid')).toBeCloseTo(0, 12);
    expect(shaped(-1e4, 'log_sigmoid')).toBe(-1e4);
  });

  it('a sum of log_sigmoid prefers two fair rewards to a high and a low one', () => {
    const sum = (...scores: number[]): number =>
      scores.reduce((all, score) => all + shaped(score, 'log_sigmoid'), 0);
    expect(sum(1, 1)).toBeGreaterThan(sum(5, -3));
    expect(sum(1, 1)).toBeCloseTo(2 * Math.log(1 / (1 + Math.exp(-1))), 12);
  });
});

describe('against references', () => {
  it('is the mean over the references to the same prompt', () => {
    const found = shapedAgainst([1, 1, -2], [[0], [1, 3], [-2]], 'sigmoid');
    const s = (x: number): number => 1 / (1 + Math.exp(-x));
    expect([...found]).toEqual([
      expect.closeTo(s(1), 12),
      expect.closeTo((s(0) + s(-2)) / 2, 12),
      0.5,
    ]);
  });

  it('does not change when all rewards of a prompt are shifted', () => {
    const [one, other] = [0, 40].map((shift) =>
      shapedAgainst([1 + shift], [[-2 + shift, 3 + shift]], 'log_sigmoid'),
    );
    expect(other![0]).toBeCloseTo(one![0]!, 10);
  });

  it('refuses a score without a reference', () => {
    expect(() => shapedAgainst([1], [[]], 'sigmoid')).toThrow(/score 0/);
  });
});
