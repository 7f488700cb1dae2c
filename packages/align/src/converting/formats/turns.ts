// Messages of other tools as messages of Keel.
import { exactJson, isPlainObject, parseExactJson, plainNumbers } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import { isEmpty } from '../../data/is-empty.ts';
import type { Fields, Reading } from './example.ts';

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

/** A list, or the JSON text of one, as in CSV and many Parquet files; null for anything else. */
export function listIn(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value;
  const parsed = jsonIn(value);
  return Array.isArray(parsed) ? parsed : null;
}

/** The value of JSON text that holds an object or a list; any other value is returned unchanged. */
export function jsonIn(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return parseExactJson(value);
  } catch {
    return value;
  }
}

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
  const isShareGpt = 'from' in turn;
  const { from, value, role: named, content: written, function_call: call, ...others } = turn;
  const name = isShareGpt ? from : named;
  const content = isShareGpt ? value : written;
  if (typeof name !== 'string') {
    return fail(`${field}.${isShareGpt ? 'from' : 'role'}`, {
      expected: 'the name of a role, such as human or gpt',
      found: describeValue(name),
    });
  }
  const role = roleOf(name);
  if (role === 'call') {
    return { role: 'assistant', content: '', tool_calls: callsOf(content, field, fail), ...others };
  }
  if (content === undefined && call == null && others.tool_calls == null) {
    const expected = `the text of the turn in "${isShareGpt ? 'value' : 'content'}"`;
    return fail(field, { expected, found: describeValue(turn) });
  }
  if (call != null) {
    const calls = callsOf(call, `${field}.function_call`, fail);
    return { role, content: content ?? null, tool_calls: calls, ...others };
  }
  return content === undefined ? { role, ...others } : { role, content, ...others };
}

/** One call or several, as objects or as JSON text. */
function callsOf(value: unknown, field: string, fail: Reading['fail']): unknown[] {
  const parsed = jsonIn(value);
  const calls = Array.isArray(parsed) ? parsed : [parsed];
  return calls.map((one) => {
    if (!isPlainObject(one) || typeof one.name !== 'string') {
      return fail(field, {
        expected: 'a call {"name": …, "arguments": {…}}, or such a call as JSON text',
        found: describeValue(one),
      });
    }
    return { type: 'function', function: { name: one.name, arguments: jsonIn(one.arguments) } };
  });
}

/**
 * Tools in the form that chat templates expect; a single one is put in a list. A bare description
 * is wrapped in `{"type": "function", "function": …}`.
 */
export function toolsOf(value: unknown): unknown {
  const read = jsonIn(value);
  const one = isPlainObject(read) && ('name' in read || 'function' in read);
  const tools = one ? [read] : read;
  if (!Array.isArray(tools)) return value;
  return tools.map((tool) =>
    isPlainObject(tool) && typeof tool.name === 'string' && tool.function === undefined
      ? { type: 'function', function: withoutType(tool) }
      : tool,
  );
}

const withoutType = ({ type: _, ...description }: Fields): Fields => description;

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
  if (typeof value === 'string') return value.trim() === '' ? '' : value;
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
  if (typeof value === 'string' && value.trim() !== '') return value;
  return fail(field, { expected: 'some text', found: describeValue(value) });
}

/** A number in a field, also as text; null if there is none. */
export function numberIn(value: unknown): number | null {
  const plain = plainNumbers(value);
  if (plain === null || plain === undefined || plain === '' || typeof plain === 'object')
    return null;
  const number = Number(plain);
  return Number.isFinite(number) ? number : null;
}

/** Whether a row has a pair. @throws DataError if it has only one of the two answers */
export function hasPair(row: Fields, { fail }: Pick<Reading, 'fail'>): boolean {
  const [chosen, rejected] = [has(row, 'chosen'), has(row, 'rejected')];
  if (chosen === rejected) return chosen;
  const [there, missing] = chosen ? ['chosen', 'rejected'] : ['rejected', 'chosen'];
  return fail(missing, {
    expected: `an answer next to "${there}"`,
    found: 'nothing',
    advice: `Add "${missing}" to make the row a pair, or remove "${there}"`,
  });
}

/** The row without some columns. */
export const without = (row: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)));

export const has = (row: Fields, ...names: readonly string[]): boolean =>
  names.every((name) => row[name] !== undefined && row[name] !== null);
