// Converts the text of CSV cells to the values of a row's fields.
import { parseExactJson, plainNumbers } from '@keel/model/exact-json';
import { parseDecimal } from '../config/decimal.ts';
import { own } from '../config/own.ts';
import { isTurn } from './messages.ts';

const numbers = new Set(['margin', 'score_chosen', 'score_rejected', 'label_probability']);
const lists = new Set([
  ...['messages', 'completions', 'ranking', 'scores', 'labels', 'finish_reasons'],
]);
const contents = new Set(['prompt', 'completion', 'chosen', 'rejected', 'messages']);

const truths: Record<string, boolean> = { true: true, false: false, 1: true, 0: false };

/**
 * The value of a label's text; undefined if it has none. pandas writes 1.0 and 0.0 for a column
 * with missing values.
 */
export const truthOf = (written: string): boolean | undefined => {
  const text = written.trim();
  return own(truths, /^[01]\.0+$/.test(text) ? text[0]! : text.toLowerCase());
};

/** A truth value, whether a file has it as such, as 0 or 1, or as text; undefined for others. */
export const truthIn = (value: unknown): boolean | undefined => {
  const plain = plainNumbers(value);
  return isScalar(plain) ? truthOf(String(plain)) : undefined;
};

const isScalar = (value: unknown): boolean =>
  ['boolean', 'number', 'bigint', 'string'].includes(typeof value);

/**
 * The value of a CSV cell. CSV has only text, so numbers, labels, lists and chats are parsed from
 * it. A cell that does not fit its field stays text, and the row's check reports it.
 */
export const cellValue = (field: string, text: string): unknown => {
  if (numbers.has(field)) {
    return text.trim() === '' ? undefined : (parseDecimal(text) ?? text);
  }
  if (field === 'label') {
    return text.trim() === '' ? undefined : (truthOf(text) ?? text);
  }
  if (lists.has(field)) {
    if (text.trim() === '') return undefined;
    return listIn(text) ?? text;
  }
  if (contents.has(field) && /^\s*\[\s*\{/.test(text)) {
    // A prompt may itself be JSON: only a list of turns is a chat.
    const list = listIn(text);
    return list?.every(isTurn) ? list : text;
  }
  return text;
};

/** The row of a pair whose prompt's cell is blank has no prompt: the answers start with it. */
export const withoutBlankPrompt = (
  row: Record<string, unknown>,
  fieldOf: (column: string) => string,
): Record<string, unknown> => {
  const columns = new Map(Object.keys(row).map((name) => [fieldOf(name), name]));
  const prompt = columns.get('prompt');
  if (prompt === undefined || !columns.has('chosen') || !columns.has('rejected')) return row;
  const value = row[prompt];
  if (typeof value === 'string' && value.trim() === '') row[prompt] = undefined;
  return row;
};

/** The list that is written as JSON text. */
export const listIn = (text: string): unknown[] | undefined => {
  try {
    const value: unknown = parseExactJson(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
};
