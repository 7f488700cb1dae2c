// Columns with a meaning in other tools that Keel does not support. Keel refuses such a row and
// names the column, since it would otherwise silently drop the meaning. docs/guide/rows.md lists
// them. All other columns are kept for rewards.

import { isPlainObject } from '@keel/model/exact-json';
import type { DataErrorDetails, Fail, Place } from './data-error.ts';
import { describeValue } from './data-error.ts';
import { isEmpty } from './message-fields.ts';
import { type Content, isChat, textOf } from './messages.ts';
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
      typeof value === 'string' && value.trim() !== '' && !hasSystem(row, value),
    expected: 'the system message among the messages',
    advice:
      'Write it as the first message of the row, {"role": "system", "content": …}, or remove the column',
  },
  {
    names: ['history'],
    when: (value) => Array.isArray(value) && value.every(isTurn),
    expected: 'the earlier turns in the messages',
    advice: 'Write them as messages before the question, or remove the column',
  },
  {
    names: ['functions'],
    when: (value) => Array.isArray(value) && value.every(isPlainObject),
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
      if (isEmpty(value) || !when(value, row)) continue;
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
  const { label, input } = row.extra;
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
  if (('completion' in row || 'messages' in row) && isFalse(label)) {
    return {
      field: 'label',
      expected: 'answers to imitate',
      found: 'an answer labelled as bad',
      advice: 'Remove such rows, or train on both labels with keel kto',
    };
  }
  if ('prompt' in row && typeof input === 'string' && input.trim() !== '') {
    if (!textsOf(row.prompt).includes(input.trim())) {
      return {
        field: 'input',
        expected: 'the input as part of the prompt',
        found: describeValue(input),
        advice: 'Append its text to "prompt", or remove the column',
      };
    }
  }
  return null;
};

const isFalse = (label: unknown): boolean =>
  label === false || label === 0 || label === '0' || `${label}`.toLowerCase() === 'false';

const textsOf = (content: Content): string =>
  isChat(content) ? content.map(textOf).join('\n') : content;
