// Checks what a user's function or program says of answers.

import {
  type AnswerRating,
  type NoVerdict,
  noUsage,
  noVerdict,
  type PairVerdict,
} from '@keel/align/judges';
import { exactJson } from '@keel/model/exact-json';

const compareFields = ['first', 'tie', 'why'];
const rateFields = ['score', 'criteria', 'why'];

/**
 * A verdict from what was returned: the probability that the first answer is better, or `{ first,
 * tie, why }`; null for no verdict.
 */
export function pairVerdictOf(found: unknown): PairVerdict | NoVerdict {
  if (found === null) return noVerdict('null was returned');
  const given = typeof found === 'number' ? { first: found } : found;
  if (!isRecord(given) || !('first' in given)) {
    return noVerdict(
      `${shown(found)} was returned; return the probability that the first answer is better, or { first, tie, why }`,
    );
  }
  const unknown = unknownField(given, compareFields);
  if (unknown !== null) return unknown;
  const { first, tie = 0, why } = given;
  if (!isShare(first) || !isShare(tie)) {
    const [name, value] = isShare(first) ? ['tie', tie] : ['first', first];
    return noVerdict(`"${name}" is ${shown(value)}; expected a number from 0 to 1`);
  }
  // `first` includes half of the tie.
  if (tie / 2 > Math.min(first, 1 - first) + 1e-9) {
    return noVerdict(
      `"first" is ${first} and "tie" is ${tie}; "first" is the probability that the first answer is better plus half of "tie"`,
    );
  }
  if (why !== undefined && typeof why !== 'string') return wrongReason(why);
  return { first, tie, ...(why !== undefined && { why }), exchanges: [], usage: noUsage };
}

/** A rating from what was returned: a score, or `{ score, criteria, why }`; null for none. */
export function answerRatingOf(found: unknown): AnswerRating | NoVerdict {
  if (found === null) return noVerdict('null was returned');
  const given = typeof found === 'number' ? { score: found } : found;
  if (!isRecord(given) || !('score' in given)) {
    return noVerdict(`${shown(found)} was returned; return a number, or { score, criteria, why }`);
  }
  const unknown = unknownField(given, rateFields);
  if (unknown !== null) return unknown;
  const { score, criteria, why } = given;
  if (!isFiniteNumber(score)) {
    return noVerdict(`"score" is ${shown(score)}; expected a finite number`);
  }
  if (criteria !== undefined && !(isRecord(criteria) && isNumbers(criteria))) {
    return noVerdict(`"criteria" is ${shown(criteria)}; expected an object of finite numbers`);
  }
  if (why !== undefined && typeof why !== 'string') return wrongReason(why);
  return {
    score,
    ...(criteria !== undefined && { criteria: { ...criteria } }),
    ...(why !== undefined && { why }),
    ...{ exchanges: [], usage: noUsage },
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isFiniteNumber = (value: unknown): value is number => Number.isFinite(value);

const isShare = (value: unknown): value is number =>
  isFiniteNumber(value) && value >= 0 && value <= 1;

const isNumbers = (value: Record<string, unknown>): value is Record<string, number> =>
  Object.values(value).every(isFiniteNumber);

const wrongReason = (why: unknown): NoVerdict =>
  noVerdict(`"why" is ${shown(why)}; expected text, or nothing`);

function unknownField(given: object, fields: readonly string[]): NoVerdict | null {
  const other = Object.keys(given).find((name) => !fields.includes(name));
  return other === undefined
    ? null
    : noVerdict(`unknown field "${other}"; the fields are ${fields.join(', ')}`);
}

/** A value in one short line. */
export function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (exactJson(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
