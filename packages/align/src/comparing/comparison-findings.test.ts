import { expect, test } from 'vitest';
import { findings } from './comparison-findings.ts';
import type { ComparisonResults } from './comparison-results.ts';
import type { Group } from './summarise.ts';

const summary = (value: number) => ({ value, spread: null, interval: [value, value] as const });

/** Groups with these win rates, in this order. */
function resultsOf(wins: Record<string, number>, unclear: string[] = []): ComparisonResults {
  const groups = Object.entries(wins).map(([name, win]): Group => {
    const numbers = { win_rate: summary(win), chosen: summary(1), margin: summary(1) };
    return {
      name,
      entries: [{}, {}] as unknown as Group['entries'],
      numbers: { ...numbers, ended: summary(1) } as unknown as Group['numbers'],
      suites: {},
    };
  });
  return {
    groups,
    leads: groups.slice(1).map(({ name: over }) => ({ over, clear: !unclear.includes(over) })),
    metric: 'win_rate',
    sameBudget: true,
    reference: { pairs: { rows: [0] }, answers: Array.from({ length: 12 }) },
  } as unknown as ComparisonResults;
}

test('reports the leader, and the groups that these prompts cannot distinguish from it', () => {
  expect(findings(resultsOf({ dpo: 0.8, ipo: 0.6 }))).toEqual([
    'dpo leads by win rate, by more than the choice of these 12 prompts explains.',
  ]);
  expect(findings(resultsOf({ dpo: 0.8, ipo: 0.75, kto: 0.7 }, ['ipo', 'kto']))).toEqual([
    'dpo leads by win rate, but these 12 prompts cannot distinguish it from ipo and kto (paired bootstrap and sign test, 95%).',
  ]);
});

test('groups can be tied for the lead', () => {
  expect(findings(resultsOf({ dpo: 0.8, ipo: 0.8, kto: 0.7 }, ['ipo', 'kto']))).toEqual([
    'dpo and ipo are tied for the lead by win rate, but these 12 prompts cannot distinguish them from kto (paired bootstrap and sign test, 95%).',
  ]);
  expect(findings(resultsOf({ dpo: 0.8, ipo: 0.8 }, ['ipo']))).toEqual([
    'dpo and ipo are tied for the lead by win rate.',
  ]);
});

test('says if the best one does not beat the reference', () => {
  expect(findings(resultsOf({ dpo: 0.458, ipo: 0.3 }))).toContain(
    'No entry beats the reference by win rate: dpo has 45.8%, the reference 50%.',
  );
  expect(findings(resultsOf({ dpo: 0.51, ipo: 0.3 })).join()).not.toContain('the reference');
});
