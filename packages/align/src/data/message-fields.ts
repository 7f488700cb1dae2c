// The fields of a message other than its role and content: used by Keel, refused by name, or left
// to the chat template.
import { PythonFloat } from '@keel/model';
import { isEmpty } from './is-empty.ts';
import { lookalikes } from './plain-name.ts';
import type { ReportFault } from './tool-calls.ts';
import { isWellFormed, NOT_WELL_FORMED } from './well-formed.ts';

/**
 * Fields that say whether a turn is trained on, from OpenAI's and Mistral's files, axolotl (two of
 * them), ms-swift and torchtune.
 */
const trainingMarks = ['weight', 'train', 'training', 'loss', 'masked'] as const;

/** Fields whose meaning Keel does not support, and what to write instead. */
const refusedFields: Record<string, { expected: string; advice: string }> = {
  function_call: {
    expected: 'no such field',
    advice:
      'This is OpenAI\'s deprecated form: write "tool_calls": [{"type": "function", "function": {"name": …, "arguments": {…}}}]',
  },
  refusal: {
    expected: 'no such field',
    advice: 'No chat template prints it: write the refusal as "content"',
  },
  train_detail: {
    expected: 'no such field',
    advice: 'Keel trains on whole turns: use "weight": 0 or 1, or split the turn',
  },
  training_detail: {
    expected: 'no such field',
    advice: 'Keel trains on whole turns: use "weight": 0 or 1, or split the turn',
  },
  audio: { expected: 'text only', advice: 'Keel trains on text only: remove the field or the row' },
  image: { expected: 'text only', advice: 'Keel trains on text only: remove the field or the row' },
  images: {
    expected: 'text only',
    advice: 'Keel trains on text only: remove the field or the row',
  },
  videos: {
    expected: 'text only',
    advice: 'Keel trains on text only: remove the field or the row',
  },
};

/** Names that hold whether, or how much, a turn is trained on, in one tool or another. */
const markName = /train|loss|mask|weight|learn|ignore|supervise/i;

const isMark = (name: string, value: unknown): boolean =>
  markName.test(name) &&
  !trainingMarks.some((mark) => mark === name) &&
  (typeof value === 'boolean' ||
    isNumber(value) ||
    (typeof value === 'string' && /^\s*(true|false|yes|no|[-+]?\d*\.?\d+)\s*$/i.test(value)) ||
    (Array.isArray(value) && value.length > 0 && value.every(isNumber)));

/** Reports marks in the parts of a message's content, which are joined without them. */
export const checkParts = (
  parts: readonly Readonly<Record<string, unknown>>[],
  report: ReportFault,
): void => {
  for (const [at, part] of parts.entries()) {
    const mark = Object.keys(part).find(
      (name) =>
        isMark(name, part[name]) ||
        (trainingMarks.some((one) => one === name) && !isEmpty(part[name])),
    );
    if (mark === undefined) continue;
    report(
      ['content', at, mark],
      'only text in a part of a message',
      'Keel trains on whole turns: use "weight": 0 or 1 in the message, or split the turn',
    );
  }
};

const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof PythonFloat;

/** The field that Keel or most chat templates read, of a name in another form. */
const lookalikeOf = lookalikes([
  ...['role', 'content', 'name', 'tool_calls', 'tool_call_id', 'reasoning_content', 'tool_plan'],
  ...Object.keys(refusedFields),
  ...trainingMarks,
]);

/** Reports fields of a message whose meaning would be dropped. */
export const checkMessageFields = (
  message: Readonly<Record<string, unknown>>,
  report: ReportFault,
): void => {
  for (const name of Object.keys(message)) {
    const value = message[name];
    if (Object.hasOwn(refusedFields, name) && !isEmpty(value)) {
      const { expected, advice } = refusedFields[name]!;
      report([name], expected, advice);
    } else if (isMark(name, value)) {
      report(
        [name],
        'a known mark of whether the turn is trained on',
        'Write "weight": 0 (not trained on) or 1 in its place, or remove the field',
      );
    } else if (!isEmpty(value) && lookalikeOf(name) !== undefined) {
      const known = lookalikeOf(name)!;
      report([name], `the field "${known}"`, `Rename it to "${known}", or remove it`);
    } else if (name !== 'content' && !isWellFormed(value)) {
      report([name], NOT_WELL_FORMED);
    }
  }
};

/**
 * Checks a message's training marks and converts numeric ones to 0 or 1.
 * Only assistant turns may be marked as trained on, since no other turn ever is.
 */
export const readTrainingMarks = (
  message: Record<string, unknown> & { role: string },
  report: ReportFault,
): void => {
  const found: { name: string; trained: boolean }[] = [];
  for (const name of trainingMarks) {
    const value = message[name];
    if (value === undefined || value === null) continue;
    const trained = readMark(name, value);
    if (trained === null) {
      const expected = name === 'weight' ? '0 (not trained on) or 1 (trained on)' : 'true or false';
      report([name], expected, 'A turn is either trained on or not: Keel has no other weights');
      continue;
    }
    if (name === 'weight') message.weight = trained ? 1 : 0;
    if (trained && message.role !== 'assistant') {
      const no = name === 'weight' ? '0' : name === 'masked' ? 'true' : 'false';
      report(
        [name],
        `${no} in a ${message.role} message`,
        'Only assistant turns are trained on: remove the field',
      );
      continue;
    }
    found.push({ name, trained });
  }
  const [first, ...others] = found;
  const other = others.find(({ trained }) => trained !== first!.trained);
  if (other !== undefined) {
    const advice = 'The two fields contradict each other: keep one of them';
    report([other.name], `the same meaning as "${first!.name}"`, advice);
  }
};

const readMark = (name: string, value: unknown): boolean | null => {
  if (name === 'masked') return typeof value === 'boolean' ? !value : null;
  if (name !== 'weight') return typeof value === 'boolean' ? value : null;
  const weight = value instanceof PythonFloat ? value.value : value;
  return weight === 0 ? false : weight === 1 ? true : null;
};

/**
 * Whether an assistant turn is trained on: all are, except those that the file marks with
 * `"weight": 0`, with `"train"`, `"training"` or `"loss"` false, or with `"masked"` true.
 */
export const isTrained = (message: Readonly<Record<string, unknown>>): boolean =>
  message.weight !== 0 &&
  message.train !== false &&
  message.training !== false &&
  message.loss !== false &&
  message.masked !== true;

/** The message without marks: in a prompt, they have no effect. */
export const withoutMarks = <M extends Readonly<Record<string, unknown>>>(message: M): M =>
  Object.fromEntries(
    Object.entries(message).filter(([name]) => !trainingMarks.some((mark) => mark === name)),
  ) as M;
