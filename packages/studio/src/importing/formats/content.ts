// Prompts and answers of other tools' files.
import { type Content, describeValue, parseRow } from '@keel/align/data';
import { isPlainObject, parseExactJson, plainNumbers } from '@keel/model/exact-json';
import { markAnswer, withoutMarks } from './empty-answers.ts';
import type { TaskReading } from './task-format.ts';

/** Field in which Keel's own exports keep prompt and answers as they are in the store. */
export const ORIGINAL = 'keel';

export interface Contents {
  prompt: Content;
  answers: Content[];
}

/**
 * Prompt and answers, checked as those of rows for training are.
 * @param field where they are, for messages
 */
export function contentsOf(
  prompt: unknown,
  answers: readonly unknown[],
  field: string,
  { place, fail }: TaskReading,
): Contents {
  const plain = plainNumbers(answers);
  for (const [at, one] of plain.entries()) {
    if (typeof one === 'string' || (Array.isArray(one) && one.length > 0)) continue;
    fail(field, { expected: `the text of answer ${at + 1}`, found: describeValue(one) });
  }
  const completions = plain.map(markAnswer);
  const row = parseRow('samples', { prompt: plainNumbers(prompt), completions }, place);
  return { prompt: row.prompt, answers: withoutMarks(row.completions) as Content[] };
}

/** The contents of an export of Keel; null if the value is none. */
export function originalOf(value: unknown, reading: TaskReading): Contents | null {
  const read = typeof value === 'string' ? parsed(value) : value;
  if (!isPlainObject(read) || !Array.isArray(read.answers) || read.prompt === undefined)
    return null;
  return contentsOf(read.prompt, read.answers as unknown[], ORIGINAL, reading);
}

function parsed(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return null;
  }
}

const promptNames = ['prompt', 'instruction', 'question', 'input', 'context', 'conversation'];

/** The prompt's field, and the fields of answers in their order. */
export function fieldsOf(
  fields: Readonly<Record<string, unknown>>,
  field: string,
  { fail }: TaskReading,
): { prompt: string; answers: string[] } {
  const names = Object.keys(fields);
  const prompt = promptNames.find((name) => names.includes(name));
  const answers = names.filter((name) =>
    /^(?:answer|response|completion|generation|output|text)s?[\s_-]*\w{0,2}$/i.test(name),
  );
  if (prompt !== undefined && answers.length > 0) return { prompt, answers };
  return fail(field, {
    expected: `a prompt (${promptNames.join(', ')}) and answers (answer1 and answer2, response-1, …)`,
    found: names.length === 0 ? 'no fields' : `the fields ${names.join(', ')}`,
    advice: 'Rename the fields of your export',
  });
}

export function numberOf(value: unknown): number | null {
  const plain = plainNumbers(value);
  return typeof plain === 'number' && Number.isFinite(plain) ? plain : null;
}

/** A name or number of a person as text; null if there is none. */
export function personOf(value: unknown): string | null {
  const plain = plainNumbers(value);
  if (typeof plain === 'string' && plain !== '') return plain;
  if (typeof plain === 'number' || typeof plain === 'bigint') return String(plain);
  if (!isPlainObject(plain)) return null;
  for (const name of ['email', 'username', 'name', 'id']) {
    const found = personOf(plain[name]);
    if (found !== null) return found;
  }
  return null;
}

export const textOrNull = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;
