// Messages of other tools as messages of Keel.
import { isDeepStrictEqual } from 'node:util';
import { exactJson, isPlainObject, plainNumbers } from '@keel/model/exact-json';
import { parseDecimal } from '../../config/decimal.ts';
import { truthOf } from '../../data/csv-cells.ts';
import { describeValue } from '../../data/data-error.ts';
import { isEmpty, isNoValue } from '../../data/is-empty.ts';
import { holdsMessages } from '../../data/messages.ts';
import { contentAdvice } from '../../data/row-forms.ts';
import { callsOf } from './calls.ts';
import type { Fields, Reading } from './example.ts';

export { toolsOf } from './calls.ts';
export { jsonIn, listIn } from './json-text.ts';

/** Role names of other tools. Other names stay, and the row's check reports them. */
const roles: Readonly<Record<string, string>> = {
  ...{ human: 'user', user: 'user', prompter: 'user' },
  ...{ gpt: 'assistant', chatgpt: 'assistant', assistant: 'assistant', bot: 'assistant' },
  ...{ ai: 'assistant', model: 'assistant', bing: 'assistant', bard: 'assistant' },
  ...{ system: 'system', function_call: 'call', tool_call: 'call' },
  ...{ observation: 'tool', tool: 'tool', function: 'tool', ipython: 'tool' },
  ...{ function_response: 'tool', tool_response: 'tool' },
};

const roleOf = (name: string): string => {
  const known = name.trim().toLowerCase();
  return Object.hasOwn(roles, known) ? roles[known]! : name;
};

/** Whether a list holds turns with `from` and `value`. */
export const areShareGptTurns = (list: readonly unknown[] | null): boolean =>
  list !== null && isPlainObject(list[0]) && 'from' in list[0] && 'value' in list[0];

/** Whether a list holds messages with a role. */
export const areMessages = (list: readonly unknown[] | null): boolean =>
  list !== null && isPlainObject(list[0]) && 'role' in list[0];

/**
 * Turns of ShareGPT's or OpenAI's form as messages. Their other fields are preserved.
 * @param field name of the list, for errors
 */
export function messagesOf(
  list: readonly unknown[],
  field: string,
  reading: Pick<Reading, 'fail'>,
): unknown[] {
  return list.map((turn, at) => messageOf(turn, `${field}[${at}]`, reading));
}

/** One turn as a message. */
export function messageOf(turn: unknown, field: string, { fail }: Pick<Reading, 'fail'>): unknown {
  if (!isPlainObject(turn)) {
    return fail(field, { expected: 'a turn with a role and a text', found: describeValue(turn) });
  }
  const { from, value, role: named, content: written, function_call: call, ...others } = turn;
  const isShareGpt = 'from' in turn && (from !== null || named === undefined || named === null);
  const given = others.tool_calls;
  const name = isShareGpt ? from : named;
  const content = isShareGpt ? value : written;
  if (typeof name !== 'string') {
    return fail(`${field}.${isShareGpt ? 'from' : 'role'}`, {
      expected: 'the name of a role, such as human or gpt',
      found: describeValue(name),
    });
  }
  const role = roleOf(name);
  const [otherName, otherText] = isShareGpt ? ['role', 'content'] : ['from', 'value'];
  const other = { name: turn[otherName], text: turn[otherText] };
  if (!isEmpty(other.name) && roleOf(String(other.name)) !== role) {
    failTwice(otherName, turn, isShareGpt ? 'from' : 'role', field, fail);
  }
  if (!isEmpty(other.text) && !isDeepStrictEqual(other.text, content)) {
    failTwice(otherText, turn, isShareGpt ? 'value' : 'content', field, fail);
  }
  const isCall = role === 'call';
  if (content === undefined && (isCall || (isEmpty(call) && isEmpty(given)))) {
    const expected = `the text of the turn in "${isShareGpt ? 'value' : 'content'}"`;
    return fail(field, { expected, found: describeValue(turn) });
  }
  if (!isCall && isEmpty(call)) {
    return content === undefined ? { role, ...others } : { role, content, ...others };
  }
  delete others.tool_calls;
  if (!isEmpty(given)) {
    failTwice('tool_calls', turn, isCall ? 'the turn itself' : 'function_call', field, fail);
  }
  if (isCall) {
    if (!isEmpty(call)) failTwice('function_call', turn, 'the turn itself', field, fail);
    const calls = callsOf(content, field, fail);
    return { role: 'assistant', content: '', tool_calls: calls, ...others };
  }
  const calls = callsOf(call, `${field}.function_call`, fail);
  return { role, content: content ?? null, tool_calls: calls, ...others };
}

/** @throws DataError for a part of a turn that another part already has, with another value */
function failTwice(
  name: string,
  turn: Fields,
  other: string,
  field: string,
  fail: Reading['fail'],
): never {
  return fail(`${field}.${name}`, {
    expected: `nothing next to "${other}", or the same`,
    found: describeValue(turn[name]),
    advice: 'The two contradict each other: keep one of them',
  });
}

/**
 * The prompt of answers. It cannot end with an answer, which they would continue.
 * @throws DataError for a turn of the assistant at the end, unless it calls tools
 */
export function askedBy(
  turns: readonly unknown[],
  field: string,
  { fail }: Pick<Reading, 'fail'>,
): readonly unknown[] {
  const last = turns.at(-1);
  if (!isPlainObject(last) || last.role !== 'assistant' || !isEmpty(last.tool_calls)) return turns;
  return fail(field, {
    expected: 'turns that end before the answers',
    found: `a turn of the assistant at the end, ${describeValue(last.content)}`,
    advice: 'Remove the last turn: the answers would continue it',
  });
}

export const user = (content: string): object => ({ role: 'user', content });
export const assistant = (content: string): object => ({ role: 'assistant', content });
/** The system message in the column "system", or nothing if there is no text. */
export const systemTurns = (row: Fields, reading: Pick<Reading, 'fail'>): object[] => {
  const content = optionalText(row, 'system', reading);
  return content === '' ? [] : [{ role: 'system', content }];
};

/**
 * Text in a field that may be empty; '' if it is. Numbers, true and false are text too.
 * @throws DataError for lists and objects
 */
export function optionalText(row: Fields, field: string, { fail }: Pick<Reading, 'fail'>): string {
  const value = row[field];
  if (isEmpty(value)) return '';
  if (typeof value === 'string') return value.trim() === '' ? '' : plainText(value, field, fail);
  if (typeof plainNumbers(value) !== 'object') return exactJson(value);
  return fail(field, {
    expected: 'text',
    found: describeValue(value),
    advice: `Write "${field}" as one text, or remove the column`,
  });
}

/** Text in a field. @throws DataError if it is something else, or empty */
export function textIn(row: Fields, field: string, { fail }: Pick<Reading, 'fail'>): string {
  const value = row[field];
  if (typeof value !== 'string' || value.trim() === '') {
    return fail(field, { expected: 'some text', found: describeValue(value) });
  }
  return plainText(value, field, fail);
}

/** @throws DataError for text that holds messages, which would become the content of one */
export function plainText(text: string, field: string, fail: Reading['fail']): string {
  if (!holdsMessages(text)) return text;
  return fail(field, {
    expected: 'text, not a string that contains messages',
    found: describeValue(text),
    advice: contentAdvice(text),
  });
}

/** A number in a field, also as decimal text; null if there is none. */
export function numberIn(value: unknown): number | null {
  const plain = plainNumbers(value);
  if (typeof plain === 'string') return parseDecimal(plain);
  const isNumber = typeof plain === 'number' || typeof plain === 'bigint';
  return isNumber && Number.isFinite(Number(plain)) ? Number(plain) : null;
}

/** Whether a field has nothing: absent, null, an empty list, or blank text. */
export const isBlank = (value: unknown): boolean =>
  isEmpty(value) || (typeof value === 'string' && value.trim() === '');

/**
 * A number in a field that may be empty; undefined if it is.
 * @throws DataError for anything else
 */
export function optionalNumber(
  row: Fields,
  field: string,
  { fail }: Pick<Reading, 'fail'>,
): number | undefined {
  const value = row[field];
  if (isBlank(value) || isNoValue(value)) return undefined;
  return numberIn(value) ?? fail(field, { expected: 'a number', found: describeValue(value) });
}

/** A label, which CSV files have as text. The row's check reports any other value. */
export const labelIn = (value: unknown): unknown =>
  typeof value === 'string' ? (truthOf(value) ?? value) : value;

/** Whether a row has a pair. @throws DataError if it has only one of the two answers */
export function hasPair(row: Fields, { fail }: Pick<Reading, 'fail'>): boolean {
  const [chosen, rejected] = [!isBlank(row.chosen), !isBlank(row.rejected)];
  if (chosen === rejected) return chosen;
  const [there, missing] = chosen ? ['chosen', 'rejected'] : ['rejected', 'chosen'];
  return fail(missing, {
    expected: `an answer next to "${there}"`,
    found: describeValue(row[missing]),
    advice: `Add "${missing}" to make the row a pair, or remove "${there}"`,
  });
}

/**
 * Which of several names of one column a row has; the first if it has none.
 * @throws DataError if two of them have a value
 */
export function oneColumn(
  row: Fields,
  names: readonly string[],
  { fail }: Pick<Reading, 'fail'>,
): string {
  const [name, other] = names.filter((one) => !isBlank(row[one]));
  if (other === undefined) return name ?? names.find((one) => one in row) ?? names[0]!;
  return fail(other, {
    expected: `nothing next to "${name}", which means the same`,
    found: describeValue(row[other]),
    advice: 'Remove one of the two columns',
  });
}

/** The row without some columns. */
export const without = (row: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)));

export const has = (row: Fields, ...names: readonly string[]): boolean =>
  names.every((name) => row[name] !== undefined && row[name] !== null);
