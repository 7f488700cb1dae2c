// A judge against people: how often it agrees with them, and what it gets wrong systematically.

import type { JudgeUsage } from '@keel/align/judges';
import {
  type Agreement,
  type Calibration,
  calibrationOf,
  cohenKappa,
  fleissKappa,
  type Proportion,
} from '@keel/statistics';
import { coinFinding, orderFindings } from '../summary/findings.ts';
import {
  clusterOf,
  failuresOf,
  longerWins,
  meanOf,
  orderStatistics,
  rowWinner,
  usageOf,
} from '../summary/judging-summary.ts';
import type { Finding, JudgingSummary, OrderStatistics } from '../summary/summary-types.ts';
import { percent } from '../summary/words.ts';
import { orderWinner, type VerdictRow, type Winner } from '../verdicts/verdict-row.ts';
import { majorityOf } from './read-labels.ts';

/** A verdict with the votes of people on the same pair. */
export interface LabelledVerdict extends VerdictRow {
  votes: readonly Winner[];
}

/** How a judge agrees with people's labels. */
export interface CheckSummary {
  judge: string;
  pairs: number;
  judged: number;
  /** Of these, pairs on which most people prefer one answer: accuracy is over these. */
  decided: number;
  /** Share of decided pairs on which judge and people agree; a tie of the judge counts half. */
  accuracy: Proportion | null;
  /** Each order for itself, for judges that see the order. */
  byOrder: OrderAccuracy | null;
  /** Cohen's kappa over first, second and tie; null if all labels are the same. */
  kappa: Agreement;
  calibration: Calibration | null;
  people: PeopleSummary;
  orders: OrderStatistics;
  /** Cohen's kappa of the verdicts in both orders. */
  ordersKappa: Agreement | null;
  /** Share of pairs of different lengths won by the longer answer, of those that both decided. */
  longerWins: { judge: Proportion | null; people: Proportion | null };
  ties: { judge: number; people: number };
  failures: JudgingSummary['failures'];
  categories: { category: string; pairs: number; accuracy: Proportion }[];
  usage: JudgeUsage;
  findings: Finding[];
}

export interface OrderAccuracy {
  /** Accuracy of the verdicts with the first answer of the row in first place. */
  firstOrder: Proportion;
  /** Accuracy with the answers swapped. */
  swapped: Proportion;
  /** Mean of both. */
  average: number;
  /** Share of pairs that are right in both orders. */
  both: Proportion;
}

export interface PeopleSummary {
  /** Largest number of votes on one pair. */
  votes: number;
  /** Share of single votes that agree with the majority of the others; null for single votes. */
  accuracy: Proportion | null;
  /** Fleiss' kappa of the votes; null for single votes. */
  kappa: Agreement | null;
}

/** Confidence in a verdict has a logarithm, even where a judge says 0 or 1. */
const SURE = 1e-6;

/** @throws RangeError without rows */
export function summariseCheck(rows: readonly LabelledVerdict[]): CheckSummary {
  const [head] = rows;
  if (head === undefined) throw new RangeError('a check needs at least one labelled pair');
  const judged = rows.filter(({ preference_b }) => preference_b !== null);
  const decided = judged.filter(({ votes }) => majorityOf(votes) !== 'tie');
  const accuracy = accuracyOf(decided);
  const about = {
    judge: head.judge,
    pairs: rows.length,
    judged: judged.length,
    decided: decided.length,
    accuracy,
    byOrder: byOrder(decided),
    kappa: kappaOf(judged),
    calibration: decided.length === 0 ? null : calibrationOf(decided.map(gapOf)),
    people: peopleOf(rows),
    orders: orderStatistics(judged),
    ordersKappa: ordersKappa(judged),
    longerWins: {
      judge: longerWins(decided),
      people: longerWins(decided, ({ votes }) => majorityOf(votes)),
    },
    ties: {
      judge: judged.filter((row) => rowWinner(row) === 'tie').length,
      people: judged.filter(({ votes }) => majorityOf(votes) === 'tie').length,
    },
    failures: failuresOf(rows),
    categories: categoriesOf(decided),
    usage: usageOf(rows),
  };
  return { ...about, findings: findingsOf(about) };
}

const category = (winner: Winner): number => ({ a: 1, b: 2, tie: 0 })[winner];

/**
 * In preference rows, the second answer is always the better one. Agreement by chance is then the
 * judge's share of this place, so kappa would be 0 whatever the judge says.
 */
function kappaOf(judged: readonly LabelledVerdict[]): Agreement {
  const labels = judged.map(({ votes }) => category(majorityOf(votes)));
  if (new Set(labels).size < 2) return { value: null, interval: null, units: judged.length };
  return cohenKappa(
    judged.map((row) => category(rowWinner(row))),
    labels,
  );
}

/** 1 if the verdict is that of most people, 0 if it is the opposite, one half for a tie. */
const hitOf = (winner: Winner, votes: readonly Winner[]): number =>
  winner === 'tie' ? 0.5 : Number(winner === majorityOf(votes));

const accuracyOf = (decided: readonly LabelledVerdict[]): Proportion | null =>
  meanOf(
    decided.map((row) => hitOf(rowWinner(row), row.votes)),
    decided.map(clusterOf),
  );

function byOrder(decided: readonly LabelledVerdict[]): OrderAccuracy | null {
  const rows = decided.filter(({ orders_agree }) => orders_agree !== null);
  if (rows.length === 0) return null;
  const hitsOf = (first: 'a' | 'b'): number[] =>
    rows.map(({ orders, votes }) =>
      hitOf(orderWinner(orders.find((one) => one.first === first)!)!, votes),
    );
  const [straight, swapped] = [hitsOf('a'), hitsOf('b')];
  const clusters = rows.map(clusterOf);
  const [firstOrder, second] = [meanOf(straight, clusters)!, meanOf(swapped, clusters)!];
  return {
    firstOrder,
    swapped: second,
    average: (firstOrder.value + second.value) / 2,
    both: meanOf(
      straight.map((hit, index) => Number(hit === 1 && swapped[index] === 1)),
      clusters,
    )!,
  };
}

/** Log-odds that the judge gives to the answer that most people prefer. */
function gapOf({ preference_b, votes }: LabelledVerdict): number {
  const right = majorityOf(votes) === 'b' ? preference_b! : 1 - preference_b!;
  const share = Math.min(1 - SURE, Math.max(SURE, right));
  return Math.log(share / (1 - share));
}

function ordersKappa(judged: readonly LabelledVerdict[]): Agreement | null {
  const rows = judged.filter(({ orders_agree }) => orders_agree !== null);
  if (rows.length === 0) return null;
  const winners = (first: 'a' | 'b'): number[] =>
    rows.map(({ orders }) => category(orderWinner(orders.find((one) => one.first === first)!)!));
  return cohenKappa(winners('a'), winners('b'));
}

function peopleOf(rows: readonly LabelledVerdict[]): PeopleSummary {
  const votes = Math.max(...rows.map((row) => row.votes.length));
  if (votes < 2) return { votes, accuracy: null, kappa: null };
  const hits = rows.flatMap((row) =>
    row.votes.flatMap((vote, index) => {
      const others = majorityOf(row.votes.toSpliced(index, 1));
      if (row.votes.length < 2 || others === 'tie') return [];
      return [{ hit: vote === 'tie' ? 0.5 : Number(vote === others), cluster: clusterOf(row) }];
    }),
  );
  const table = Array.from({ length: votes }, (_, person) =>
    rows.map((row) => (row.votes[person] === undefined ? null : category(row.votes[person]))),
  );
  return {
    votes,
    accuracy: meanOf(
      hits.map(({ hit }) => hit),
      hits.map(({ cluster }) => cluster),
    ),
    kappa: fleissKappa(table),
  };
}

function categoriesOf(decided: readonly LabelledVerdict[]): CheckSummary['categories'] {
  const names = [...new Set(decided.flatMap((row) => row.category ?? []))];
  if (names.length < 2) return [];
  return names.map((name) => {
    const own = decided.filter((row) => row.category === name);
    return { category: name, pairs: own.length, accuracy: accuracyOf(own)! };
  });
}

function findingsOf({
  accuracy,
  people,
  orders,
  longerWins: { judge, people: theirs },
}: Omit<CheckSummary, 'findings'>): Finding[] {
  if (accuracy === null) {
    return [
      {
        code: 'no-verdicts',
        severity: 'serious',
        text: 'There is no pair on which the judge gave a verdict and most people prefer one answer, so there is no accuracy.',
      },
    ];
  }
  const found: Finding[] = [];
  found.push(...coinFinding({ accuracy }));
  found.push(...orderFindings(orders));
  if (judge !== null && theirs !== null && judge.interval[0] > theirs.value) {
    found.push({
      code: 'length-bias',
      severity: 'warning',
      text: `The longer answer won ${percent(judge.value)} of this judge's verdicts, but ${percent(theirs.value)} of people's. Read its length-controlled win rate.`,
    });
  }
  if (people.accuracy !== null && accuracy.interval[1] < people.accuracy.value) {
    found.push({
      code: 'below-people',
      severity: 'note',
      text: `One person agrees with the majority of the others on ${percent(people.accuracy.value)} of these pairs; this judge reaches ${percent(accuracy.value)}.`,
    });
  }
  return found;
}
