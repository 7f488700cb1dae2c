// Scores that the rows of answers bring with them.
import { DataError } from '@keel/align';
import { truthIn } from '@keel/align/data';
import { exactJson, isPlainObject, plainNumbers } from '@keel/model/exact-json';
import type { AnswerRow } from '../../judging/answers/answer-row.ts';

/** Columns that are scores by their name. */
export const usualColumns = { reward: ['reward', 'score'], gold: ['gold'] } as const;

/** Whether a row has the column, or a part of a run's reward of this name. */
export const hasColumn = (rows: readonly AnswerRow[], name: string): boolean =>
  rows.some((row) => valueIn(row, name) !== undefined);

/**
 * @returns one for each row; null for a row without it
 * @throws DataError for a value that is not a finite number
 */
export const columnScores = (rows: readonly AnswerRow[], name: string): (number | null)[] =>
  rows.map((row) => {
    const value = valueIn(row, name);
    if (value === undefined || value === null) return null;
    // Cells of CSV files are texts.
    if (typeof value === 'string' && value.trim() === '') return null;
    const number = typeof value === 'string' ? (truthIn(value) ?? Number(value)) : value;
    if (typeof number === 'bigint' || typeof number === 'boolean') return Number(number);
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    throw new DataError({
      ...row.place,
      field: name,
      expected: 'a number',
      found: exactJson(value)?.slice(0, 60) ?? String(value),
      advice: 'Fix the value, or name another column',
    });
  });

function valueIn({ extra }: AnswerRow, name: string): unknown {
  const value = extra[name];
  if (value !== undefined) return plainNumbers(value);
  const { aspects } = extra;
  return isPlainObject(aspects) ? plainNumbers(aspects[name]) : undefined;
}
