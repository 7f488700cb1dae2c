// What the verdicts say: who wins, how sure that is, and whether the judge can be believed.

import { type JudgeUsage, totalUsage } from '@keel/align/judges';
import {
  clusteredMeanInterval,
  lengthControlledWinRate,
  NoMaximumError,
  type Proportion,
  wilsonInterval,
} from '@keel/statistics';
import { answerText, promptKey } from '../answers/answer-row.ts';
import { orderWinner, type VerdictRow, type Winner, winnerOf } from '../verdicts/verdict-row.ts';
import { findingsOf } from './findings.ts';
import type {
  CategoryRate,
  FlagStatistics,
  JudgeCheck,
  JudgingSummary,
  LengthControlledRate,
  MeanLength,
  OrderStatistics,
} from './summary-types.ts';

/** Fewest pairs for which a fit of lengths says anything. */
const LENGTH_PAIRS = 10;

/**
 * @param check the judge's verdicts on labelled pairs
 * @throws RangeError without rows
 */
export function summarise(
  rows: readonly VerdictRow[],
  check: JudgeCheck | null = null,
): JudgingSummary {
  const [head] = rows;
  if (head === undefined) throw new RangeError('a summary needs at least one verdict');
  const judged = rows.filter((row) => row.preference_b !== null);
  const tally = tallyOf(judged);
  const about = {
    judge: head.judge,
    modelA: commonName(rows.map(({ model_a }) => model_a)),
    modelB: commonName(rows.map(({ model_b }) => model_b)),
    pairs: rows.length,
    judged: judged.length,
    prompts: new Set(judged.map(clusterOf)).size,
    winRate: winRateOf(judged),
    ...tally,
    lengthControlled: lengthControlled(judged),
    orders: orderStatistics(judged),
    longerWins: longerWins(judged),
    lengths: { a: meanLength(rows, 'answer_a'), b: meanLength(rows, 'answer_b') },
    failures: failuresOf(rows),
    incomplete: judged.filter(({ transient }) => transient).length,
    rules: rulesOf(rows),
    flagged: flagsOf(rows, judged),
    usage: usageOf(rows),
    categories: categoriesOf(judged),
    check,
  };
  return { ...about, findings: findingsOf(about) };
}

export const clusterOf = ({ prompt }: Pick<VerdictRow, 'prompt'>): string => promptKey(prompt);

/** The winner of a row that has a verdict. */
export const rowWinner = ({ preference_b, tie }: VerdictRow): Winner =>
  winnerOf(preference_b!, tie ?? 0);

function winRateOf(judged: readonly VerdictRow[]): Proportion | null {
  return meanOf(
    judged.map(({ preference_b }) => preference_b!),
    judged.map(clusterOf),
  );
}

/**
 * A mean of values from 0 to 1 with its 95% interval over clusters: by bootstrap, or Wilson's where
 * no resample could vary, such as with one cluster or equal values.
 * @returns null without values
 */
export function meanOf(values: readonly number[], clusters: readonly string[]): Proportion | null {
  const count = values.length;
  if (count === 0) return null;
  const value = values.reduce((sum, one) => sum + one, 0) / count;
  const interval = clusteredMeanInterval(values, clusters);
  if (interval[0] < interval[1]) return { value, count, interval };
  const units = new Set(clusters).size;
  return { value, count, interval: wilsonInterval(value * units, units) };
}

const tallyOf = (judged: readonly VerdictRow[]) => {
  const winners = judged.map(rowWinner);
  const count = (winner: Winner): number => winners.filter((one) => one === winner).length;
  return { wins: count('b'), losses: count('a'), ties: count('tie') };
};

function lengthControlled(judged: readonly VerdictRow[]): LengthControlledRate {
  const none = (why: string): LengthControlledRate => ({ value: null, interval: null, why });
  if (judged.length < LENGTH_PAIRS) {
    const few = judged.length === 1 ? '1 pair is' : `${judged.length} pairs are`;
    return none(`${few} too few: at least ${LENGTH_PAIRS} are needed`);
  }
  try {
    const fit = lengthControlledWinRate(
      judged.map((row) => ({
        baselineLength: [...answerText(row.answer_a)].length,
        modelLength: [...answerText(row.answer_b)].length,
        preference: row.preference_b!,
        cluster: clusterOf(row),
      })),
    );
    if (![fit.lengthControlled, ...fit.interval].every(Number.isFinite)) {
      return none('the fit has no finite interval');
    }
    return { value: fit.lengthControlled, interval: fit.interval, why: null };
  } catch (error) {
    if (error instanceof NoMaximumError) return none(error.message);
    throw error;
  }
}

/** Verdicts by the order in which the judge saw the answers. */
export function orderStatistics(judged: readonly VerdictRow[]): OrderStatistics {
  const both = judged.filter(({ orders_agree }) => orders_agree !== null);
  const places = both.flatMap((row) =>
    row.orders.map((order) => {
      const winner = orderWinner(order);
      return { hit: winner === 'tie' ? 0.5 : Number(winner === order.first), row };
    }),
  );
  return {
    pairs: both.length,
    once: judged.filter(({ orders }) => orders.length === 1).length,
    agree: meanOf(
      both.map(({ orders_agree }) => Number(orders_agree)),
      both.map(clusterOf),
    ),
    firstWins: meanOf(
      places.map(({ hit }) => hit),
      places.map(({ row }) => clusterOf(row)),
    ),
  };
}

/**
 * How often the longer answer wins, in characters, of the pairs that the judge decided. Pairs that
 * a rule decided do not count.
 * @param winnerOf whose winners are counted (default: the judge's)
 */
export function longerWins<Row extends VerdictRow>(
  judged: readonly Row[],
  winnerOf: (row: Row) => Winner = rowWinner,
): Proportion | null {
  const rows = judged.flatMap((row) => {
    const lead = answerText(row.answer_b).length - answerText(row.answer_a).length;
    if (lead === 0 || rowWinner(row) === 'tie' || row.rule !== null) return [];
    return [{ row, longer: lead > 0 ? 'b' : 'a' }];
  });
  return meanOf(
    rows.map(({ row, longer }) => Number(winnerOf(row) === longer)),
    rows.map(({ row }) => clusterOf(row)),
  );
}

function meanLength(rows: readonly VerdictRow[], field: 'answer_a' | 'answer_b'): MeanLength {
  const texts = rows.map((row) => answerText(row[field]));
  const mean = (lengthOf: (text: string) => number): number =>
    texts.reduce((sum, text) => sum + lengthOf(text), 0) / texts.length;
  return {
    characters: mean((text) => [...text].length),
    words: mean((text) => text.trim().split(/\s+/).filter(Boolean).length),
  };
}

export function failuresOf(
  rows: readonly Pick<VerdictRow, 'failed' | 'row'>[],
): JudgingSummary['failures'] {
  const found = new Map<string, { reason: string; count: number; firstRow: number }>();
  for (const { failed, row } of rows) {
    if (failed === null) continue;
    // Reasons quote the judge's words, which differ from row to row.
    const kind = failed.replace(/"(?:[^"\\]|\\.)*"?/g, '"…"');
    const one = found.get(kind) ?? { reason: failed, count: 0, firstRow: row };
    if (one.reason !== failed) one.reason = kind;
    one.count += 1;
    found.set(kind, one);
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

function rulesOf(rows: readonly VerdictRow[]): JudgingSummary['rules'] {
  const found = new Map<string, number>();
  for (const { rule } of rows) if (rule !== null) found.set(rule, (found.get(rule) ?? 0) + 1);
  return [...found].map(([rule, count]) => ({ rule, count }));
}

function flagsOf(rows: readonly VerdictRow[], judged: readonly VerdictRow[]): FlagStatistics {
  const names = new Set(rows.flatMap(({ flags_a, flags_b }) => [...flags_a, ...flags_b]));
  const isFlagged = ({ flags_a, flags_b }: VerdictRow): boolean =>
    flags_a.length + flags_b.length > 0;
  const clean = judged.filter((row) => !isFlagged(row));
  return {
    flags: [...names].map((flag) => ({
      flag,
      a: rows.filter(({ flags_a }) => flags_a.includes(flag)).length,
      b: rows.filter(({ flags_b }) => flags_b.includes(flag)).length,
    })),
    rows: rows.filter(isFlagged).length,
    winRateWithout: clean.length < judged.length ? winRateOf(clean) : null,
  };
}

export const usageOf = (
  rows: readonly { orders: readonly { usage?: JudgeUsage }[] }[],
): JudgeUsage =>
  totalUsage(rows.flatMap(({ orders }) => orders.flatMap(({ usage }) => usage ?? [])));

/** By category, if there are several. */
function categoriesOf(judged: readonly VerdictRow[]): CategoryRate[] {
  const names = [...new Set(judged.flatMap(({ category }) => category ?? []))];
  if (names.length < 2) return [];
  return names.map((category) => {
    const own = judged.filter((row) => row.category === category);
    return { category, pairs: own.length, winRate: winRateOf(own)!, ...tallyOf(own) };
  });
}

/** One or two names; of more, how many there are. */
export function commonName(names: readonly string[]): string {
  const all = [...new Set(names)];
  return all.length <= 2 ? all.join(' and ') : `${all.length} models`;
}
