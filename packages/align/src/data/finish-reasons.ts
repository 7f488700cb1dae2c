// Why each answer of a row ended: columns that `keel generate` and other verbs write, with `length`
// for an answer that was cut off.
import { listIn } from './csv-cells.ts';

/** The column of a single answer, those of a pair, and the list of a ranking. */
export const finishColumns: readonly string[] = [
  ...['finish_reason', 'chosen_finish_reason', 'rejected_finish_reason'],
  'finish_reasons',
];

/**
 * The reason of each of a ranking's answers, from a list or its JSON text.
 * @returns null without such a list, or if it is about other answers
 */
export const finishReasons = (value: unknown, answers: number): readonly unknown[] | null => {
  const reasons = typeof value === 'string' ? listIn(value) : value;
  return Array.isArray(reasons) && reasons.length === answers ? reasons : null;
};

/**
 * The columns of a ranking, for a pair of its answers.
 * @param answers of the ranking; `better` and `worse` are indices among them
 */
export function pairColumns(
  extra: Readonly<Record<string, unknown>>,
  answers: number,
  better: number,
  worse: number,
): Readonly<Record<string, unknown>> {
  const { finish_reasons, ...columns } = extra;
  const reasons = finishReasons(finish_reasons, answers);
  if (reasons === null) return extra;
  return {
    ...columns,
    chosen_finish_reason: reasons[better],
    rejected_finish_reason: reasons[worse],
  };
}
