// Columns with a meaning in other tools that Keel does not support. Keel refuses such a row and
// names the column, since it would otherwise silently drop the meaning. docs/guide/rows.md lists
// them. All other columns are kept for rewards.

import { isDeepStrictEqual } from 'node:util';
import { isPlainObject, plainNumbers } from '@keel/model/exact-json';
import { rowFields } from '../config/row-options.ts';
import { truthOf } from './csv-cells.ts';
import type { DataErrorDetails, Fail, Place } from './data-error.ts';
import { describeValue } from './data-error.ts';
import { isEmpty, isNoValue } from './is-empty.ts';
import { LABEL_PROBABILITY } from './label-probability.ts';
import { wholeAnswer } from './message-text.ts';
import { type Content, contentText } from './messages.ts';
import { lookalikes, plainName } from './plain-name.ts';
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

/** Columns that other tools use as the weight of a whole row. */
const weightColumns = [
  ...['weight', 'sample_weight', 'loss_weight', 'weights', 'row_weight', 'example_weight'],
  ...['instance_weight', 'training_weight'],
];

/** Columns that say of a whole row whether, or how, it is trained on; and what has no effect. */
const rowMarks: Readonly<Record<string, boolean>> = {
  ...{ train: true, trainable: true },
  ...{ masked: false, unmask: false },
};

/** The columns of a row whose names are among these, whatever their form. */
const columnsNamed = (
  columns: Readonly<Record<string, unknown>>,
  names: readonly string[],
): string[] => {
  const plain = names.map(plainName);
  return Object.keys(columns).filter((name) => plain.includes(plainName(name)));
};

/**
 * Checks columns that say how much a row counts, or whether it is trained on.
 * @returns null if nothing would be dropped
 */
export const rowMarkFault = (
  row: Pick<Row, 'extra'>,
): Omit<DataErrorDetails, keyof Place> | null => {
  for (const name of columnsNamed(row.extra, weightColumns)) {
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
  for (const name of columnsNamed(row.extra, Object.keys(rowMarks))) {
    const mark = truthOf(String(row.extra[name]));
    if (mark === undefined || mark === rowMarks[plainName(name)]) continue;
    return {
      field: name,
      expected: 'only rows to train on, and no mark of how',
      found: describeValue(row.extra[name]),
      advice:
        'Remove the column, or the rows that should not be trained on. To exclude a turn, set "weight": 0 in its message',
    };
  }
  return null;
};

/**
 * Checks columns that a reward may read but training does not use.
 * @returns null if nothing would be dropped
 */
export const droppedByTraining = (row: Row): Omit<DataErrorDetails, keyof Place> | null => {
  const marked = rowMarkFault(row);
  if (marked !== null) return marked;
  const bad = columnsNamed(row.extra, labelColumns).find((name) => isFalse(row.extra[name]));
  if (('completion' in row || 'messages' in row) && bad !== undefined) {
    return {
      field: bad,
      expected: 'answers to imitate',
      found: 'an answer labelled as bad',
      advice: 'Remove such rows, or train on both labels with keel kto',
    };
  }
  return uncertainLabel(row) ?? cutAnswer(row) ?? leftOutOfAnswer(row) ?? leftOutOfPrompt(row);
};

/**
 * Columns of `keel generate` and `keel best-of-n`: `length` for an answer that was cut off. The
 * last one is a list with a reason for each answer.
 */
export const finishColumns = [
  ...['finish_reason', 'chosen_finish_reason', 'rejected_finish_reason'],
  'finish_reasons',
];

/** An answer that was cut off: training would end it as if it were whole. */
const cutAnswer = (row: Row): Omit<DataErrorDetails, keyof Place> | null => {
  const field = finishColumns.find((name) => isCut(row, name));
  if (field === undefined) return null;
  return {
    field,
    expected: 'an answer that the model finished',
    found: '"length": it was cut off, and training would teach the model to end there',
    advice:
      'Generate with a larger --max-new-tokens, skip such rows with --on-bad-row skip, or remove the column to train on them as they are',
  };
};

/** Whether the column says so, and is about the row's answers. */
const isCut = (row: Row, name: string): boolean => {
  const reason = row.extra[name];
  if (name === 'finish_reason') {
    return reason === 'length' && ('completion' in row || 'messages' in row);
  }
  if (name !== 'finish_reasons') return reason === 'length' && 'chosen' in row;
  const answers = 'completions' in row ? row.completions.length : 0;
  return Array.isArray(reason) && reason.length === answers && reason.includes('length');
};

/** A probability next to an answer that is imitated, which has no label to be uncertain. */
const uncertainLabel = ({ extra }: Row): Omit<DataErrorDetails, keyof Place> | null => {
  const probability = extra[LABEL_PROBABILITY];
  if (isEmpty(probability) || isNoValue(probability) || Number(probability) === 1) return null;
  return {
    field: LABEL_PROBABILITY,
    expected: 'an answer to imitate, without a probability',
    found: describeValue(probability),
    advice:
      'Remove the column, or train on uncertain labels with keel dpo, reward (pairs) or kto (answers with a label)',
  };
};

/** Columns with the reasoning that belongs before an answer. */
const reasoningColumns = [
  ...['reasoning_content', 'reasoning', 'reasoning_text', 'thinking', 'thinking_content'],
  ...['thought', 'thoughts', 'chain_of_thought', 'cot', 'complex_cot'],
  ...['chosen_reasoning', 'rejected_reasoning'],
];

/** Reasoning beside an answer, which a template would replace by an empty block. */
const leftOutOfAnswer = (row: Row): Omit<DataErrorDetails, keyof Place> | null => {
  const names = columnsNamed(row.extra, reasoningColumns);
  if (names.length === 0) return null;
  const answers = answersOf(row).map((answer) => asWords(wholeAnswer({ completion: answer })));
  if (answers.length === 0) return null;
  for (const name of names) {
    const value = row.extra[name];
    // A short word is a setting, such as "on".
    if (typeof value !== 'string' || value.trim().length <= SHORT) continue;
    if (answers.some((answer) => answer.includes(asWords(value)))) continue;
    return {
      field: name,
      expected: 'the reasoning as a part of the answer',
      found: describeValue(value),
      advice:
        'Write it as "reasoning_content" of the assistant\'s message, or in the text of the answer, or remove the column',
    };
  }
  return null;
};

const answersOf = (row: Row): Content[] => {
  if ('messages' in row) return [row.messages];
  if ('completion' in row) return [row.completion];
  if ('chosen' in row) return [row.chosen, row.rejected];
  return 'completions' in row ? [...row.completions] : [];
};

/**
 * Checks columns whose text belongs to the prompt, for verbs that pass no columns to a reward.
 * @returns null if the prompt has all of it
 */
export const leftOutOfPrompt = (row: Row): Omit<DataErrorDetails, keyof Place> | null => {
  const content = 'prompt' in row ? row.prompt : 'messages' in row ? row.messages : null;
  if (content === null) return null;
  const field = 'prompt' in row ? 'prompt' : 'messages';
  const names = columnsNamed(row.extra, [
    ...(field === 'prompt' ? promptParts : ['history']),
    ...instructions,
    ...(typeof row.extra.prompt === 'string' ? ['prompt'] : []),
  ]);
  if (names.length === 0) return null;
  const asked = asWords(contentText(content));
  for (const name of names) {
    const part = row.extra[name];
    const texts = textsIn(part).filter((text) => !isNoValue(text));
    if (texts.every((text) => holdsWords(asked, asWords(text)))) continue;
    return {
      field: name,
      expected: `the ${name} as part of the ${field}`,
      found: describeValue(part),
      advice: `Add its text to "${field}", or remove the column`,
    };
  }
  return null;
};

/** Columns that mark an answer as good or bad in other tools. */
const labelColumns = ['label', 'kto_tag', 'desirable', 'is_desirable', 'is_good', 'thumbs_up'];

/** Columns whose text belongs to the prompt: in Alpaca, in Dolly and SQuAD, and earlier turns. */
export const promptParts = ['input', 'context', 'history'] as const;

/** Columns that hold the question itself, or instructions for it. */
const instructions = ['instruction', 'instructions'];

/** Whether a label marks the answer as bad: it is false, or a number of at most 0. */
const isFalse = (label: unknown): boolean => {
  if (typeof label === 'boolean') return !label;
  if (typeof label === 'number') return label <= 0;
  if (typeof label !== 'string' || label.trim() === '') return false;
  return Number(label) <= 0 || /^(false|f|no|n)$/i.test(label.trim());
};

const asWords = (text: string): string => text.trim().replaceAll(/\s+/g, ' ');

/** A longer text is not in a prompt by accident. */
const SHORT = 12;

/** Whether a text has these words; a short word counts only if it is not a part of another one. */
function holdsWords(text: string, words: string): boolean {
  if (words.length > SHORT) return text.includes(words);
  // Scripts without upper case, such as Chinese, do not separate words.
  const isPart = (a: string | undefined, b: string | undefined): boolean =>
    /^[\p{Lu}\p{Ll}\p{N}]{2}$/u.test(`${a ?? ' '}${b ?? ' '}`);
  for (let at = text.indexOf(words); at !== -1; at = text.indexOf(words, at + 1)) {
    const end = at + words.length;
    if (!isPart(text[at - 1], words[0]) && !isPart(words.at(-1), text[end])) return true;
  }
  return words === '';
}

/** Whether a column is part of what is asked, in one tool or another. */
export const belongsToPrompt = (name: string): boolean =>
  refusedByName.has(plainName(name)) ||
  [...promptParts, ...instructions, ...rendered].some(
    (known) => plainName(known) === plainName(name),
  );
