// The forms in which a row may have answers: a pair, several completions, one completion. A row
// with two forms would mean something else to each verb, so it is refused.
import { type DataErrorDetails, describeValue, type Fail, type Place } from './data-error.ts';
import type { Row, RowKind } from './rows.ts';

type Fields = Readonly<Record<string, unknown>>;
type Fault = Omit<DataErrorDetails, keyof Place>;

const has = (row: Fields, name: string): boolean => row[name] !== undefined && row[name] !== null;

/** Whether a row has a pair, or a part of one. */
export const hasPair = (row: Fields): boolean => has(row, 'chosen') || has(row, 'rejected');

const verdicts = ['ranking', 'scores'] as const;

/** Whether a row's completions are the steps of one answer. */
export const hasSteps = (row: Fields): boolean =>
  has(row, 'completions') &&
  (Array.isArray(row.labels) ||
    (has(row, 'labels') && !verdicts.some((verdict) => has(row, verdict))));

/**
 * Whether a row has answers in `completions`. Next to a pair, anything but a list of answers is a
 * column like any other, unless the row judges its parts.
 */
export const hasCompletions = (row: Fields): boolean =>
  has(row, 'completions') &&
  (!hasPair(row) ||
    hasSteps(row) ||
    verdicts.some((verdict) => has(row, verdict)) ||
    isAnswers(row.completions));

const isAnswers = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((answer) => typeof answer === 'string' || Array.isArray(answer));

const twoForms = (field: string, value: unknown): Fault => ({
  field,
  expected: 'answers in one form',
  found: `${describeValue(value)} next to "chosen" and "rejected"`,
  advice: `Remove "${field}" to use the pair, or "chosen" and "rejected" to use "${field}"`,
});

/** What each kind of several completions does not use, and why. */
const unused: Partial<Record<RowKind, { names: readonly string[]; expected: string }>> = {
  ranking: { names: ['labels'], expected: 'no labels of steps next to a ranking' },
  process: { names: verdicts, expected: 'no order of the steps, since "labels" judges each' },
  samples: {
    names: [...verdicts, 'labels'],
    expected: 'the same form of judgement in all rows, or none',
  },
};

/**
 * Checks that a row of comparisons has its answers in one form, with one kind of judgement.
 * @throws DataError for a field that would be dropped
 */
export const checkAnswerForms = (kind: RowKind, row: Fields, fail: Fail): void => {
  const other = unused[kind];
  if (kind !== 'preference' && other === undefined) return;
  if (hasPair(row) && hasCompletions(row)) {
    const { field, ...details } = twoForms('completions', row.completions);
    fail(field, details);
  }
  if (kind !== 'preference' && has(row, 'label_probability')) {
    fail('label_probability', {
      expected: 'a pair, or one answer with a label',
      found: `${describeValue(row.label_probability)} next to "completions"`,
      advice: 'Remove it, or write the answers as pairs, each with its own probability',
    });
  }
  // Steps are not a ranking without an order: the missing field is reported instead.
  if (kind === 'ranking' && !verdicts.some((verdict) => has(row, verdict))) return;
  for (const name of other?.names ?? []) {
    if (!has(row, name) || (name === 'labels' && !Array.isArray(row.labels))) continue;
    const areSteps = kind === 'samples' && name === 'labels';
    fail(name, {
      expected: areSteps ? 'whole answers, not the steps of one' : other!.expected,
      found: describeValue(row[name]),
      advice: areSteps
        ? 'Only keel reward uses the steps of an answer. To use each completion as an answer, remove "labels"'
        : `Remove "${name}", or write such rows to a file of their own`,
    });
  }
};

/**
 * Why a row cannot be scored as it is meant: it has a pair or several completions, and also one
 * completion. Null if it can.
 */
export const otherAnswerFault = (row: Row): Fault | null => {
  const fields: Fields = { ...row.extra, ...row };
  if (!has(fields, 'completion')) return null;
  if (hasPair(fields)) return twoForms('completion', fields.completion);
  if (!hasCompletions(fields)) return null;
  return {
    field: 'completion',
    expected: 'answers in one form',
    found: `${describeValue(fields.completion)} next to "completions"`,
    advice: 'Remove "completion" or "completions"',
  };
};
