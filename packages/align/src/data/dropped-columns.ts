// Columns of a valid row that a verb would drop though they mean something: marks of the row, parts
// of its prompt or of its answer. docs/guide/rows.md lists them.
import { listIn, truthOf } from './csv-cells.ts';
import { type DataErrorDetails, describeValue, type Place } from './data-error.ts';
import { finishColumns, finishReasons } from './finish-reasons.ts';
import { isEmpty, isNoValue } from './is-empty.ts';
import { instructions, promptParts, textsIn } from './known-columns.ts';
import { LABEL_PROBABILITY } from './label-probability.ts';
import { wholeAnswer } from './message-text.ts';
import { type Content, contentText } from './messages.ts';
import { plainName } from './plain-name.ts';
import type { Row } from './rows.ts';

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
  return 'completions' in row && isAnyCut(finishReasons(reason, row.completions.length));
};

const isAnyCut = (reasons: readonly unknown[] | null): boolean =>
  reasons?.includes('length') ?? false;

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
    const parts = typeof value === 'string' ? (listIn(value) ?? value) : value;
    // A short word is a setting, such as "on".
    const texts = textsIn(parts).filter((text) => !isNoValue(text) && !isSetting(text));
    if (texts.every((text) => answers.some((answer) => holdsWords(answer, asWords(text)))))
      continue;
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

const isSetting = (text: string): boolean => /^[\w./-]{1,12}$/.test(text.trim());

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

/** Whether a label marks the answer as bad: it is false, or a number of at most 0. */
const isFalse = (label: unknown): boolean => {
  if (typeof label === 'boolean') return !label;
  if (typeof label === 'number') return label <= 0;
  if (typeof label !== 'string' || label.trim() === '') return false;
  return Number(label) <= 0 || /^(false|f|no|n)$/i.test(label.trim());
};

/** Columns that say something about an answer: its reasoning, and whether it is good. */
export const answerColumns = (columns: Readonly<Record<string, unknown>>): string[] =>
  columnsNamed(columns, [...reasoningColumns, ...labelColumns]);

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
