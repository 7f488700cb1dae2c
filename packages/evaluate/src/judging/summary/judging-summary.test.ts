import { wilsonInterval } from '@keel/statistics';
import { describe, expect, it } from 'vitest';
import { verdict } from '../testing/verdicts.ts';
import type { VerdictRow } from '../verdicts/verdict-row.ts';
import { summarise } from './judging-summary.ts';
import { summaryLines } from './summary-lines.ts';

const codes = (rows: readonly VerdictRow[]): string[] =>
  summarise(rows).findings.map(({ code }) => code);

/** Every number in a summary is finite. */
function expectFinite(rows: readonly VerdictRow[]): void {
  const summary = summarise(rows);
  const numbers = JSON.stringify(summary, (_, value) => {
    if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
    return value;
  });
  expect(numbers).not.toContain('NaN');
  expect(JSON.stringify(summaryLines(summary))).not.toMatch(/NaN|undefined|Infinity/);
}

describe('summarise', () => {
  it('has the win rate of b, its counts, and what the orders say', () => {
    const rows = [
      ...[verdict(0, [0, 1]), verdict(1, [0.2, 0.7]), verdict(2, [1, 0])],
      verdict(3, [1, 1]),
    ];
    const summary = summarise(rows);
    expect(summary.winRate!.value).toBeCloseTo((1 + 0.75 + 0 + 0.5) / 4, 12);
    expect(summary).toMatchObject({ pairs: 4, judged: 4, wins: 2, losses: 1, ties: 1 });
    expect(summary.orders.agree!.value).toBe(0.75);
    // First places: a lost, b won; a lost, b won; a won, b lost; a won, b won.
    expect(summary.orders.firstWins!.value).toBe(5 / 8);
    expect(summary.longerWins).toMatchObject({ value: 2 / 3, count: 3 });
    expect(summary.lengths.a).toEqual({ characters: 5, words: 1 });
    expectFinite(rows);
  });

  it('takes prompts as the units of the interval', () => {
    const rows = Array.from({ length: 40 }, (_, row) =>
      verdict(row, row % 4 < 2 ? [0, 1] : [1, 0]),
    );
    const of = (size: number) =>
      rows.map((row) => ({ ...row, prompt: `prompt ${Math.floor(row.row / size)}` }));
    // Two answers to each of twenty prompts, both won or both lost.
    const pairs = summarise(of(2));
    expect(pairs.prompts).toBe(20);
    const width = ([from, to]: readonly [number, number]) => to - from;
    const alone = summarise(rows).winRate!.interval;
    expect(width(pairs.winRate!.interval)).toBeGreaterThan(1.2 * width(alone));
    // Four answers to each of ten prompts, two won and two lost: every prompt has 50%.
    expect(summarise(of(4)).winRate!.interval).toEqual(wilsonInterval(5, 10));
    const [low, high] = summarise(rows).winRate!.interval;
    expect(low).toBeLessThan(0.4);
    expect(high).toBeGreaterThan(0.6);
  });

  it('has an interval with a width where no resample could vary', () => {
    const [one, two] = [verdict(0, [0.2, 0.8]), verdict(1, [0.2, 0.8])];
    for (const rows of [[one], [one, { ...one, row: 1 }], [one, two]]) {
      const { value, interval } = summarise(rows).winRate!;
      expect(value).toBeCloseTo(0.8, 12);
      const units = rows.length === 2 && rows[1] === two ? 2 : 1;
      expect(interval[0]).toBeCloseTo(wilsonInterval(0.8 * units, units)[0], 12);
      expect(interval[1]).toBeGreaterThan(0.8);
    }
  });

  it('names the reason of failures where it is the same', () => {
    const failing = (row: number, failed: string) => verdict(row, [null], { failed });
    const same = [failing(0, '"first" is NaN'), failing(1, '"first" is NaN')];
    expect(summarise(same).failures).toEqual([{ reason: '"first" is NaN', count: 2, firstRow: 0 }]);
    const others = [...same, failing(2, '"tie" is NaN')];
    expect(summarise(others).failures).toEqual([{ reason: '"…" is NaN', count: 3, firstRow: 0 }]);
  });

  it('is finite whatever the verdicts are', () => {
    expectFinite([verdict(0, [0, 1])]);
    expectFinite([verdict(0, [null, null])]);
    expectFinite([verdict(0, [0.5])]);
    expectFinite(Array.from({ length: 30 }, (_, row) => verdict(row, [0, 1])));
    expectFinite([verdict(0, [0, 1], { answer_a: '', answer_b: '' })]);
    const none = summarise([verdict(0, [null, null])]);
    expect(none).toMatchObject({ winRate: null, judged: 0, findings: [{ code: 'no-verdicts' }] });
    const all = summarise(Array.from({ length: 30 }, (_, row) => verdict(row, [0, 1])));
    expect(all.winRate!.value).toBe(1);
    expect(all.winRate!.interval[0]).toBeLessThan(1);
    expect(all.lengthControlled).toMatchObject({ value: null, why: expect.any(String) });
  });

  it('says so if the judge cannot tell, or prefers a place', () => {
    const first = Array.from({ length: 20 }, (_, row) => verdict(row, [0.9, 0.8]));
    expect(codes(first)).toContain('cannot-tell');
    const often = Array.from({ length: 20 }, (_, row) =>
      verdict(row, row % 5 < 2 ? [0.9, 0.8] : row % 2 === 0 ? [0.9, 0.1] : [0.2, 0.9]),
    );
    expect(codes(often)).not.toContain('cannot-tell');
    const second = first.map((row, index) => verdict(row.row, index < 12 ? [0.1, 0.9] : [0, 0]));
    expect(summarise(second).orders.agree!.value).toBe(0.6);
    expect(codes(second)).not.toContain('cannot-tell');
  });

  it('explains a length-controlled rate that is far from the raw one', () => {
    const rows = Array.from({ length: 60 }, (_, row) => {
      const longer = row % 6 > 0;
      const b = 'x'.repeat(longer ? 300 + row : 100 - row);
      // The longer answer wins nearly always.
      const won = row % 10 === 3 ? !longer : longer;
      return verdict(row, won ? [0.05, 0.95] : [0.95, 0.05], {
        answer_a: 'x'.repeat(200),
        answer_b: b,
      });
    });
    const { winRate, lengthControlled, findings } = summarise(rows);
    expect(winRate!.value - lengthControlled.value!).toBeGreaterThan(0.1);
    expect(findings.map(({ code }) => code)).toContain('length-gap');
  });

  it('counts failures by their reasons, flags, rules and tokens', () => {
    const rows = [
      verdict(0, [null, null], { failed: 'no label in "both"' }),
      verdict(1, [null, 0.5], { failed: 'no label in "I like \\"a\\""' }),
      verdict(2, [0, 1], { flags_b: ['speaks-to-judge'] }),
      verdict(3, [], { preference_b: 1, tie: 0, rule: 'an empty answer loses', failed: null }),
      verdict(4, [1, 0]),
    ];
    const summary = summarise(rows);
    expect(summary.failures).toEqual([{ reason: 'no label in "…"', count: 2, firstRow: 0 }]);
    expect(summary.rules).toEqual([{ rule: 'an empty answer loses', count: 1 }]);
    expect(summary.flagged.flags).toEqual([{ flag: 'speaks-to-judge', a: 0, b: 1 }]);
    expect(summary.flagged.winRateWithout!.value).toBe(0.5);
    expect(summary.orders.pairs).toBe(2);
    expect(summary.usage).toEqual({ promptTokens: 8, answerTokens: 8, cost: 0 });
    expect(codes(rows)).toEqual(expect.arrayContaining(['failures', 'flagged']));
  });

  it('has the win rates of categories, if there are several', () => {
    const rows = [
      verdict(0, [0, 1], { category: 'x' }),
      verdict(1, [1, 0], { category: 'y' }),
      verdict(2, [0, 1], { category: 'y' }),
    ];
    const shown = summarise(rows).categories.map(({ category, winRate, wins }) => [
      ...[category, winRate.value, wins],
    ]);
    expect(shown).toEqual([
      ['x', 1, 1],
      ['y', 0.5, 1],
    ]);
    expect(summarise(rows.slice(1)).categories).toEqual([]);
  });
});
