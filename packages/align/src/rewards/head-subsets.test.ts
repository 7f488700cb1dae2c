import { expect, it } from 'vitest';
import { seesRow } from './head-subsets.ts';

const rows = Array.from({ length: 4000 }, (_, row) => row);

it('assigns each head its own share of the rows, the same at every visit', () => {
  const subset = (head: number, seed = 1) =>
    rows.map((row) => seesRow({ seed, share: 0.8 }, head, row));
  const [a, b] = [subset(0), subset(1)];
  const share = (seen: boolean[]): number => seen.filter(Boolean).length / rows.length;
  expect(share(a)).toBeCloseTo(0.8, 1);
  expect(subset(0)).toEqual(a);
  // Independent: both heads see 0.64 of the rows.
  expect(share(a.map((one, row) => one && b[row]!))).toBeCloseTo(0.64, 1);
  expect(subset(0, 2)).not.toEqual(a);
  expect(rows.every((row) => seesRow({ seed: 1, share: 1 }, 3, row))).toBe(true);
});
