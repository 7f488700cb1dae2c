// Columns with a meaning in other tools that Keel does not support. Keel refuses such a row and
// names the column, since it would otherwise silently drop the meaning. docs/guide/rows.md lists
// them. All other columns are kept for rewards.

import { isPlainObject, plainNumbers } from '@keel/model/exact-json';
import type { DataErrorDetails, Fail, Place } from './data-error.ts';
import { describeValue } from './data-error.ts';
import { isEmpty, isNoValue } from './is-empty.ts';
import { type Content, isChat, textOf } from './messages.ts';
import { plainName } from './plain-name.ts';
import type { Row } from './rows.ts';

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
const textsIn = (value: unknown): string[] => {
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
    names: ['system', 'system_prompt'],
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

/**
 * Checks the columns of a row that do not belong to its kind.
 * @throws DataError for a column whose meaning would be dropped
 */
export const checkColumns = (row: Readonly<Record<string, unknown>>, fail: Fail): void => {
  for (const { names, when = () => true, expected, advice } of refused) {
    for (const name of names) {
      const value = row[name];
      if (isEmpty(value) || isNoValue(value) || !when(value, row)) continue;
      fail(name, { expected, found: describeValue(value), advice });
    }
  }
};

/** Columns that other tools use as the weight of a whole row. */
const weightColumns = ['weight', 'sample_weight', 'loss_weight'] as const;

/**
 * Checks columns that a reward may read but training does not use.
 * @returns null if nothing would be dropped
 */
export const droppedByTraining = (row: Row): Omit<DataErrorDetails, keyof Place> | null => {
  for (const name of weightColumns) {
    const weight = row.extra[name];
    if (isEmpty(weight) || Number(weight) === 1 || !Number.isFinite(Number(weight))) continue;
    return {
      field: name,
      expected: 'no row weight, or 1',
      found: describeValue(weight),
      advice:
        'Keel weights all rows equally: remove the column, or repeat rows that should count more. To exclude a turn from training, set "weight": 0 in its message',
    };
  }
  const bad = labelColumns.find((name) => isFalse(row.extra[name]));
  if (('completion' in row || 'messages' in row) && bad !== undefined) {
    return {
      field: bad,
      expected: 'answers to imitate',
      found: 'an answer labelled as bad',
      advice: 'Remove such rows, or train on both labels with keel kto',
    };
  }
  return leftOutOfPrompt(row);
};

/**
 * Checks columns whose text belongs to the prompt, for verbs that pass no columns to a reward.
 * @returns null if the prompt has all of it
 */
export const leftOutOfPrompt = (row: Row): Omit<DataErrorDetails, keyof Place> | null => {
  const asked = 'prompt' in row ? asWords(textsOf(row.prompt)) : '';
  for (const name of 'prompt' in row ? promptParts : []) {
    const part = row.extra[name];
    const texts = textsIn(part).filter((text) => !isNoValue(text));
    if (texts.every((text) => asked.includes(asWords(text)))) continue;
    return {
      field: name,
      expected: `the ${name} as part of the prompt`,
      found: describeValue(part),
      advice: 'Append its text to "prompt", or remove the column',
    };
  }
  return null;
};

/** Columns that mark an answer as good or bad in other tools. */
const labelColumns = ['label', 'kto_tag', 'desirable', 'is_desirable', 'is_good', 'thumbs_up'];

/** Columns whose text belongs to the prompt: in Alpaca, in Dolly and SQuAD, and earlier turns. */
export const promptParts = ['input', 'context', 'history'] as const;

/** Whether a label marks the answer as bad: it is false, or a number of at most 0. */
const isFalse = (label: unknown): boolean => {
  if (typeof label === 'boolean') return !label;
  if (typeof label === 'number') return label <= 0;
  if (typeof label !== 'string' || label.trim() === '') return false;
  return Number(label) <= 0 || /^(false|f|no|n)$/i.test(label.trim());
};

const asWords = (text: string): string => text.trim().replaceAll(/\s+/g, ' ');

const textsOf = (content: Content): string =>
  isChat(content) ? content.map(textOf).join('\n') : content;

/** Whether a column is part of what is asked, in one tool or another. */
export const belongsToPrompt = (name: string): boolean =>
  [...promptParts, 'system', 'system_prompt', 'functions', 'tools', 'chat_template_kwargs'].some(
    (known) => plainName(known) === plainName(name),
  );
