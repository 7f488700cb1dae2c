import { describe, expect, it } from 'vitest';
import { verdict } from '../testing/verdicts.ts';
import { winnerOf } from './verdict-row.ts';

describe('winnerOf', () => {
  it.each([
    [0.5, 0, 'tie'],
    [0.51, 0, 'b'],
    [0.49, 0, 'a'],
    // P(b) 0.2, P(a) 0.1, P(tie) 0.7
    [0.55, 0.7, 'tie'],
    // P(b) 0.5, P(a) 0.1, P(tie) 0.4
    [0.7, 0.4, 'b'],
    // Rounding decides nothing: 1 - 0.9 is below 0.1.
    [(0.9 + (1 - 0.9)) / 2, 0, 'tie'],
  ] as const)('a preference of %d with a tie of %d is %s', (preference, tie, winner) => {
    expect(winnerOf(preference, tie)).toBe(winner);
  });
});

describe('combineOrders', () => {
  it('averages both orders for b', () => {
    const row = verdict(0, [0.3, 0.8]);
    expect(row.preference_b).toBeCloseTo((0.7 + 0.8) / 2, 12);
    expect(row).toMatchObject({ orders_agree: true, failed: null });
  });

  it('is a tie of a judge that always prefers the first place', () => {
    expect(verdict(0, [1, 1])).toMatchObject({ preference_b: 0.5, orders_agree: false });
  });

  it('has no verdict if one order has none, and no agreement of a single order', () => {
    const failed = { preference_b: null, tie: null, orders_agree: null, failed: 'no label' };
    expect(verdict(0, [1, null])).toMatchObject(failed);
    expect(verdict(0, [0.25])).toMatchObject({ preference_b: 0.75, orders_agree: null });
  });
});
