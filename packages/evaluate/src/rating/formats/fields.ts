// Fields that several formats share.
import { describeValue } from '@keel/align/data';
import { exactJson, isPlainObject, plainNumbers } from '@keel/model/exact-json';
import { type AnswerStyle, styleOf } from '../battles/answer-style.ts';
import type { BattleContent, Fields, RowReading } from '../battles/row-battle.ts';

/** @throws DataError unless the field is a text that is not empty */
export function textIn(row: Fields, field: string, { fail }: RowReading): string {
  const value = row[field];
  if (typeof value === 'string' && value.trim() !== '') return value;
  return fail(field, { expected: 'a text', found: describeValue(value) });
}

/** @throws DataError for the same name twice */
export function modelsIn(
  row: Fields,
  fields: readonly [string, string],
  reading: RowReading,
): [a: string, b: string] {
  const [a, b] = [textIn(row, fields[0], reading), textIn(row, fields[1], reading)];
  if (a === b) {
    reading.fail(fields[1], {
      expected: `another model than in "${fields[0]}"`,
      found: `"${b}"`,
      advice: 'A model cannot be rated against itself',
    });
  }
  return [a, b];
}

/** A number from JSON or from CSV's text. @throws DataError unless it is in the range */
export function numberIn(
  row: Fields,
  field: string,
  [low, high]: readonly [number, number],
  { fail }: RowReading,
): number {
  const plain = plainNumbers(row[field]);
  const value = typeof plain === 'string' && plain.trim() !== '' ? Number(plain) : plain;
  if (typeof value === 'number' && value >= low && value <= high) return value;
  return fail(field, {
    expected: `a number from ${low} to ${high}`,
    found: describeValue(row[field]),
  });
}

/** Weight of a row, if it has the column. @throws DataError unless it is above 0 */
export function weightIn(row: Fields, reading: RowReading): { weight?: number } {
  if (row.weight === undefined || row.weight === null || row.weight === '') return {};
  const weight = numberIn(row, 'weight', [0, Number.MAX_VALUE], reading);
  if (weight > 0) return { weight };
  return reading.fail('weight', { expected: 'a number above 0', found: '0' });
}

/** The judge's name, if the row has one. */
export const judgeIn = ({ judge }: Fields): { judge?: string } =>
  typeof judge === 'string' ? { judge } : {};

/** A prompt's text: a string, the only user turn of a chat, or a chat as JSON; null without one. */
export function promptText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || value.length === 0) return null;
  const [turn] = value as unknown[];
  if (value.length === 1 && isPlainObject(turn) && typeof turn.content === 'string') {
    return turn.content;
  }
  return exactJson(value);
}

/**
 * An answer's text: a string, a number or a truth value as files of labels have them, or what the
 * assistant says in a chat; null without one.
 */
function answerText(value: unknown): string | null {
  const plain = plainNumbers(value);
  if (typeof plain === 'string') return plain;
  if (typeof plain === 'number' || typeof plain === 'boolean') return String(plain);
  if (!Array.isArray(value)) return null;
  const said = (value as unknown[]).flatMap((turn) =>
    isPlainObject(turn) && turn.role === 'assistant' ? [contentOf(turn.content)] : [],
  );
  return said.length === 0 ? null : said.join('\n');
}

/** The text of a turn's content, which may be a list of parts. */
export function contentOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return (content as unknown[])
    .map((part) => (isPlainObject(part) && typeof part.text === 'string' ? part.text : ''))
    .join('\n');
}

/** Prompt and answers of a row; null unless both answers are texts or lists of turns. */
export function contentIn(prompt: unknown, a: unknown, b: unknown): BattleContent | null {
  const has = (value: unknown): boolean => typeof value === 'string' || Array.isArray(value);
  return has(a) && has(b) ? { ...(has(prompt) && { prompt }), a, b } : null;
}

/** Style of two answers; null unless both have text. */
export function stylesOf(a: unknown, b: unknown): readonly [a: AnswerStyle, b: AnswerStyle] | null {
  const [one, other] = [answerText(a), answerText(b)];
  return one === null || other === null ? null : [styleOf(one), styleOf(other)];
}
