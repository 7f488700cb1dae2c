// Columns with a meaning in other tools that Keel does not support. Keel refuses such a row and
// names the column, since it would otherwise silently drop the meaning. docs/guide/rows.md lists
// them. All other columns are kept for rewards.

import { isDeepStrictEqual } from 'node:util';
import { isPlainObject, plainNumbers } from '@keel/model/exact-json';
import { rowFields } from '../config/row-options.ts';
import type { Fail } from './data-error.ts';
import { describeValue } from './data-error.ts';
import { isEmpty, isNoValue } from './is-empty.ts';
import { lookalikes, plainName } from './plain-name.ts';

interface RefusedColumn {
  names: readonly string[];
  /**
   * Whether a non-empty value has the meaning for which the column is refused (default: always).
   */
  when?(value: unknown, row: Readonly<Record<string, unknown>>): boolean;
  expected: string;
  advice: string;
}

const isTurn = (value: unknown): boolean => Array.isArray(value) || isPlainObject(value);

/**
 * Whether a value is a list of turns or objects, or the text of such a list: JSON or Python's repr,
 * as in CSV and many Parquet files.
 */
const isListOf = (value: unknown, isItem: (item: unknown) => boolean, text: RegExp): boolean =>
  typeof value === 'string' ? text.test(value) : Array.isArray(value) && value.every(isItem);

/** The texts in a value, and its numbers unless they are fields of an object, such as an id. */
export const textsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (!isPlainObject(value)) return [];
  return Object.values(value).flatMap((part) =>
    typeof part === 'number' || typeof part === 'bigint' ? [] : textsIn(part),
  );
};

/** Refused in every row except one of plain "text", which is trained on as it is. */
const refused: readonly RefusedColumn[] = [
  {
    names: ['images', 'image', 'videos', 'video', 'audio', 'audios'],
    expected: 'text only',
    advice: 'Keel trains on text only: remove the column, or the rows that need it',
  },
  {
    names: [
      ...['system', 'system_prompt', 'system_message', 'system_msg', 'sys_prompt', 'sys'],
      ...['system_instruction', 'system_instructions'],
    ],
    when: (value, row) =>
      textsIn(plainNumbers(value)).some((text) => text.trim() !== '' && !hasSystem(row, text)),
    expected: 'the system message among the messages',
    advice:
      'Write it as the first message of the row, {"role": "system", "content": …}, or remove the column',
  },
  {
    names: ['history'],
    when: (value) => isListOf(value, isTurn, /^\s*\[\s*[[{]/),
    expected: 'the earlier turns in the messages',
    advice: 'Write them as messages before the question, or remove the column',
  },
  {
    names: ['functions'],
    when: (value) => isListOf(value, isPlainObject, /^\s*\[\s*\{/),
    expected: 'the column "tools" instead',
    advice:
      'This is OpenAI\'s deprecated form: write each function as {"type": "function", "function": {…}} in "tools"',
  },
  {
    names: ['available_tools', 'tool_definitions', 'tool_schemas', 'tool_list'],
    when: (value, row) => isEmpty(row.tools) && isListOf(value, isPlainObject, /^\s*\[\s*\{/),
    expected: 'the column "tools" instead',
    advice: 'Rename it to "tools", or remove the column',
  },
  {
    names: ['template_kwargs', 'chat_template_args', 'chat_kwargs'],
    when: (value) =>
      (isPlainObject(value) && Object.keys(value).length > 0) ||
      (typeof value === 'string' && /^\s*\{\s*"/.test(value)),
    expected: 'the column "chat_template_kwargs" instead',
    advice: 'Rename it to "chat_template_kwargs", or remove the column',
  },
  {
    names: [
      ...['ref_chosen_logps', 'ref_rejected_logps', 'ref_logps', 'ref_KL_logps'],
      ...['reference_chosen_logps', 'reference_rejected_logps'],
      ...['reference_logps', 'reference_KL_logps'],
    ],
    expected: 'no log-probabilities of a reference model',
    advice:
      "Remove TRL's column: Keel computes and caches the reference's log-probabilities itself",
  },
  {
    names: ['enable_thinking'],
    expected: 'this variable in the column "chat_template_kwargs"',
    advice:
      'Write {"enable_thinking": true} or false in "chat_template_kwargs", or remove the column',
  },
  {
    names: ['input_ids', 'completion_mask', 'assistant_masks', 'loss_mask'],
    expected: 'only text or messages',
    advice: 'Keel tokenises rows itself: remove the column',
  },
];

/** Whether the row's own messages start with this system message. */
const hasSystem = (row: Readonly<Record<string, unknown>>, text: string): boolean =>
  ['messages', 'prompt', 'chosen'].some((name) => {
    const first: unknown = Array.isArray(row[name]) ? row[name][0] : row[name];
    if (typeof first === 'string') return first.includes(text.trim());
    return isPlainObject(first) && first.role === 'system' && first.content === text;
  });

const refusedByName: ReadonlyMap<string, RefusedColumn> = new Map(
  refused.flatMap((column) => column.names.map((name) => [plainName(name), column] as const)),
);

/**
 * Checks the columns of a row that do not belong to its kind. Case, `_` and `-` in their names make
 * no difference.
 * @param fields of the row's kind
 * @throws DataError for a column whose meaning would be dropped
 */
export const checkColumns = (
  row: Readonly<Record<string, unknown>>,
  fields: ReadonlySet<string>,
  fail: Fail,
): void => {
  for (const name of Object.keys(row)) {
    const value = row[name];
    if (fields.has(name) || isEmpty(value) || isNoValue(value)) continue;
    checkLookalike(name, row, fields, fail);
    const column = refusedByName.get(plainName(name));
    if (column === undefined || column.when?.(value, row) === false) continue;
    fail(name, {
      expected: column.expected,
      found: describeValue(value),
      advice: column.advice,
    });
  }
};

const fieldLike = lookalikes(rowFields);

/** Fields of every chat. */
const rendered: readonly string[] = ['tools', 'chat_template_kwargs'];

/** Refuses a column that would be a field of the row if its name had the field's form. */
const checkLookalike = (
  name: string,
  row: Readonly<Record<string, unknown>>,
  fields: ReadonlySet<string>,
  fail: Fail,
): void => {
  const field = fieldLike(name);
  if (field === undefined || !(fields.has(field) || rendered.includes(field))) return;
  if (isDeepStrictEqual(row[name], row[field])) return;
  const columns = /[\s,'"]/.test(name) ? '' : ` (or pass --columns ${field}=${name})`;
  fail(name, {
    expected: `the field "${field}", or another name`,
    found: describeValue(row[name]),
    advice: isEmpty(row[field])
      ? `Rename it to "${field}"${columns}, or remove the column`
      : `Remove it, or rename it so that it cannot be mistaken for "${field}"`,
  });
};

/** Columns whose text belongs to the prompt: in Alpaca, in Dolly and SQuAD, and earlier turns. */
export const promptParts = ['input', 'context', 'history'] as const;

/** Columns that hold the question itself, or instructions for it. */
export const instructions = ['instruction', 'instructions'];

/** Whether a column is part of what is asked, in one tool or another. */
export const belongsToPrompt = (name: string): boolean =>
  refusedByName.has(plainName(name)) ||
  [...promptParts, ...instructions, ...rendered].some(
    (known) => plainName(known) === plainName(name),
  );
