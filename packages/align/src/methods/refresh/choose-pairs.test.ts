import { describe, expect, it } from 'vitest';
import { choosePairs } from './choose-pairs.ts';
import { calibrationTo } from './refresher.ts';

const answered = Array.from({ length: 10 }, (_, row) => ({
  row,
  answers: [
    { text: `worst ${row}`, reward: -1 },
    { text: `best ${row}`, reward: 3 },
    { text: `other ${row}`, reward: 0 },
  ],
}));

describe('the pairs that are labelled', () => {
  it('have the answer with the highest reward and a random other one', () => {
    const found = choosePairs(answered, 10, 7);
    expect(found.map(({ row }) => row).toSorted((a, b) => a - b)).toEqual([...Array(10).keys()]);
    for (const { row, texts } of found) expect(texts[0]).toBe(`best ${row}`);
    expect(new Set(found.map(({ texts }) => texts[1].split(' ')[0]))).toEqual(
      new Set(['worst', 'other']),
    );
  });

  it('are of random prompts, the same with the same seed', () => {
    const found = choosePairs(answered, 4, 7);
    expect(found).toEqual(choosePairs(answered, 4, 7));
    expect(found).toHaveLength(4);
    const others = [1, 2, 3].map((seed) => choosePairs(answered, 4, seed).map(({ row }) => row));
    expect(new Set(others.map(String)).size).toBeGreaterThan(1);
  });

  it('leave out prompts whose answers are all the same', () => {
    const same = { row: 3, answers: Array(3).fill({ text: 'a', reward: 1 }) };
    expect(choosePairs([same], 5, 1)).toEqual([]);
  });
});

describe('the calibration', () => {
  it('gives the fixed answers their first mean and deviation', () => {
    const now = [3, 7, 5, 1];
    const { scale, shift } = calibrationTo(
      { mean: 0.5, deviation: 2 },
      { mean: 4, deviation: Math.sqrt(5) },
    );
    const rewards = now.map((one) => scale * one + shift);
    const mean = rewards.reduce((sum, one) => sum + one, 0) / 4;
    expect(mean).toBeCloseTo(0.5, 12);
    const variance = rewards.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 4;
    expect(Math.sqrt(variance)).toBeCloseTo(2, 12);
  });

  it('only shifts where all answers have the same reward', () => {
    expect(calibrationTo({ mean: 1, deviation: 2 }, { mean: 4, deviation: 0 })).toEqual({
      scale: 1,
      shift: -3,
    });
  });
});
