// A line of a verdict file: two answers, what a judge said of them in both orders, and the result.
import type { Content } from '@keel/align/data';
import type { Exchange, JudgeUsage } from '@keel/align/judges';
import type { AskedRow } from './asked-row.ts';

/** What a judge said of a pair in one order. */
export interface OrderVerdict {
  /** Which answer it saw first. */
  first: Side;
  /** Probability that the first answer is better, plus half of the tie; null: no verdict */
  preference_first: number | null;
  tie: number | null;
  why?: string;
  exchanges: readonly Exchange[];
  usage: JudgeUsage;
  /** Why there is no verdict. */
  failed?: string;
  /** Whether asking again may give another one. */
  transient?: true;
}

export type Side = 'a' | 'b';

/** A verdict as a row of a file. */
export interface VerdictRow extends AskedRow {
  /** Index of the pair, from 0. */
  row: number;
  prompt: Content;
  model_a: string;
  model_b: string;
  answer_a: Content;
  answer_b: Content;
  category: string | null;
  judge: string;
  /**
   * Probability that b is better, plus half of the tie: the mean over the orders. null: no verdict
   */
  preference_b: number | null;
  tie: number | null;
  /** One for a judge that does not see the order; none where a rule decided. */
  orders: readonly OrderVerdict[];
  /** Whether both orders have the same winner; null where there are not two verdicts. */
  orders_agree: boolean | null;
  flags_a: readonly string[];
  flags_b: readonly string[];
  /** What decided without asking the judge: an empty answer, or identical answers. */
  rule: string | null;
}

export type Winner = Side | 'tie';

/** Rounding of probabilities must not decide who wins. */
const SAME = 1e-9;

/**
 * The most likely outcome.
 * @param preferenceB P(b is better) plus half of P(tie)
 * @param tie P(neither is better)
 */
export function winnerOf(preferenceB: number, tie: number): Winner {
  const lead = 2 * preferenceB - 1;
  if (Math.abs(lead) <= SAME) return 'tie';
  const best = preferenceB - tie / 2;
  const other = 1 - tie - best;
  if (tie > Math.max(best, other)) return 'tie';
  return lead > 0 ? 'b' : 'a';
}

/** The winner of a single order; null without a verdict. */
export function orderWinner({ first, preference_first, tie }: OrderVerdict): Winner | null {
  if (preference_first === null) return null;
  return winnerOf(first === 'b' ? preference_first : 1 - preference_first, tie ?? 0);
}

/** Everything that follows from the verdicts of the orders. */
export function combineOrders(
  orders: readonly OrderVerdict[],
): Pick<VerdictRow, 'preference_b' | 'tie' | 'orders_agree' | 'failed' | 'transient'> {
  const failures = orders.filter((one) => one.preference_first === null);
  if (failures.length > 0) {
    const failed = failures[0]!.failed ?? 'no verdict';
    const again = failures.every(({ transient }) => transient) && { transient: true as const };
    return { preference_b: null, tie: null, orders_agree: null, failed, ...again };
  }
  const preferences = orders.map(({ first, preference_first }) =>
    first === 'b' ? preference_first! : 1 - preference_first!,
  );
  const winners = new Set(orders.map(orderWinner));
  return {
    preference_b: mean(preferences),
    tie: mean(orders.map(({ tie }) => tie ?? 0)),
    orders_agree: orders.length < 2 ? null : winners.size === 1,
    failed: null,
    ...(orders.some(({ transient }) => transient) && { transient: true as const }),
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
