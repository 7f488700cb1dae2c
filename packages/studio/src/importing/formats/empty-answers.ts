// An empty answer is a fact that people can judge, but rows for training refuse it. The parsers of
// rows see a mark in its place, which is taken away again.
import type { Fields } from '@keel/align/converting';
import { isPlainObject } from '@keel/model/exact-json';
import type { TaskInput } from '../../store/items.ts';

/** A character that no text has, since it is none. */
const MARK = '\u{10fffe}';

/** Two columns with an answer each. Where both are empty, the row has no such answers. */
const pairs = [
  ...[['chosen', 'rejected'] as const, ['response_1', 'response_2'] as const],
  ...[['response1', 'response2'] as const, ['answer_a', 'answer_b'] as const],
  ['conversation_a', 'conversation_b'] as const,
];

/** A row whose empty answers have the mark. */
export function markEmpty(row: Fields): Fields {
  const marked: Record<string, unknown> = { ...row };
  const mark = (name: string): void => {
    if (name in row) marked[name] = markAnswer(row[name]);
  };
  const pair = pairs.find((names) => names.some((name) => !isBlank(row[name])));
  for (const name of pair ?? []) mark(name);
  mark('completions');
  // An empty cell of a table is no answer next to other ones.
  if (pair === undefined && 'label' in row) mark('completion');
  return marked;
}

const isBlank = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && value.length === 0);

/** An answer, or several, of which empty ones have the mark. */
export function markAnswer(answer: unknown): unknown {
  if (typeof answer === 'string') return answer.trim() === '' ? `${MARK}${answer}` : answer;
  if (!Array.isArray(answer)) return answer;
  return (answer as unknown[]).map((one) => {
    if (!isPlainObject(one)) return markAnswer(one);
    // A call of a tool needs no text.
    if (one.role !== 'assistant' || 'tool_calls' in one) return one;
    return { ...one, content: markAnswer(one.content) };
  });
}

/** The task without marks. */
export const unmarked = (task: TaskInput): TaskInput => withoutMarks(task) as TaskInput;

/** A value without marks in any of its texts. */
export function withoutMarks(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith(MARK) ? value.slice(MARK.length) : value;
  if (Array.isArray(value)) return (value as unknown[]).map(withoutMarks);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutMarks(one)]));
}
