// Advice on renaming the fields of rows in other common formats.
import { isPlainObject } from '@keel/model/exact-json';
import { promptParts } from './known-columns.ts';
import type { RowKind } from './rows.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Names of the fields in other tools, the most likely first. */
const otherNames: Record<string, readonly string[]> = {
  messages: ['conversations', 'conversation', 'dialogue', 'dialog', 'chat', 'turns'],
  prompt: ['instruction', 'question', 'query', 'problem', 'request', 'user', 'human', 'input'],
  completion: ['response', 'output', 'answer', 'reply', 'generation', 'assistant', 'gpt', 'target'],
  chosen: [
    ...['preferred_output', 'preferred', 'accepted', 'accept', 'positive', 'winner', 'better'],
    ...['chosen_response', 'response_chosen', 'preferred_response'],
  ],
  rejected: [
    ...['non_preferred_output', 'dispreferred', 'reject', 'negative', 'loser', 'worse'],
    ...['rejected_response', 'response_rejected', 'non_preferred_response'],
  ],
  completions: ['responses', 'answers', 'candidates', 'generations', 'outputs', 'choices'],
  ranking: ['rank', 'ranks', 'rankings'],
  scores: ['score', 'rewards', 'ratings'],
  label: ['kto_tag', 'desirable', 'thumbs_up', 'is_desirable', 'is_good'],
  labels: ['step_labels'],
  text: ['content', 'document'],
};

/** Fields that make a row of the kind; any one of several sets is enough. */
const formsOf: Record<RowKind, readonly (readonly string[])[]> = {
  text: [['text']],
  messages: [['messages']],
  completion: [['prompt', 'completion']],
  supervised: [['messages'], ['prompt', 'completion'], ['text']],
  preference: [
    ['prompt', 'chosen', 'rejected'],
    ['chosen', 'rejected'],
  ],
  ranking: [
    ['prompt', 'completions', 'scores'],
    ['prompt', 'completions', 'ranking'],
  ],
  samples: [['prompt', 'completions']],
  unpaired: [['prompt', 'completion', 'label']],
  process: [['prompt', 'completions', 'labels']],
  judged: [
    ['prompt', 'chosen', 'rejected'],
    ['chosen', 'rejected'],
    ['prompt', 'completions', 'scores'],
    ['prompt', 'completions', 'ranking'],
    ['prompt', 'completions', 'labels'],
  ],
  prompt: [['prompt']],
};

const shareGptTurns =
  'In each turn, rename "from" to "role" (human is "user", gpt is "assistant", observation is "tool") and "value" to "content"';

/**
 * Which fields to rename to make a row of another format one of the kind; undefined if that is
 * uncertain.
 */
export const renameAdvice = (kind: RowKind, row: Fields): string | undefined =>
  converting(nestedAdvice(kind, row)) ??
  callsAdvice(kind, row) ??
  twoAnswersAdvice(kind, row) ??
  renames(kind, row);

const converting = (advice: string | undefined): string | undefined =>
  advice === undefined ? undefined : `${advice}. Or convert the file with keel data convert`;

const renames = (kind: RowKind, row: Fields): string | undefined => {
  for (const form of formsOf[kind]) {
    const pairs: [string, string][] = [];
    const complete = form.every((field) => {
      if (holds(row[field])) return true;
      const other = otherName(row, field, kind);
      if (other !== undefined) pairs.push([other, field]);
      return other !== undefined;
    });
    if (!complete || pairs.length === 0) continue;
    const renames = pairs.map(([from, to]) => `${shown(from)} to "${to}"`);
    if (pairs.some(([from]) => isShareGpt(row[from]))) {
      return converting(`This is the ShareGPT form: rename ${joined(renames)}. ${shareGptTurns}`);
    }
    const left = promptParts.filter(
      (name) => holds(row[name]) && !pairs.some(([from]) => from === name),
    );
    const parts =
      left.length === 0 || !form.includes('prompt')
        ? ''
        : `. Append the text of ${joined(left.map(shown))} to the prompt`;
    if (pairs.some(([from]) => from === 'instruction') && 'output' in row) {
      return converting(`This is the Alpaca form: rename ${joined(renames)}${parts}`);
    }
    const columns = pairs.map(([from, to]) => `${to}=${from}`).join(',');
    const named = /[\s,'"]/.test(columns) ? '' : `. Or pass --columns ${columns}`;
    return `Rename ${joined(renames)}${parts}${parts === '' ? named : ''}`;
  }
  return undefined;
};

/** Columns that hold the question in other formats, and hardly ever anything else. */
const questionColumns = ['question', 'instruction', 'query', 'problem'];

/**
 * The column that most likely holds the prompt of a pair without one. Without it, the common
 * beginning of both answers would be taken for the prompt.
 */
export const questionColumn = (row: Fields): string | undefined =>
  [...questionColumns, 'messages', ...otherNames.messages!].find(
    (name) => holds(row[name]) && couldBe('prompt', row[name]),
  ) ?? (Array.isArray(row.context) && isPlainObject(row.context[0]) ? 'context' : undefined);

const shown = (name: string): string => JSON.stringify(name);

const joined = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;

const holds = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

const otherName = (row: Fields, field: string, kind: RowKind): string | undefined => {
  const written = Object.keys(row).find(
    (name) => name !== field && name.trim().toLowerCase() === field && holds(row[name]),
  );
  if (written !== undefined) return written;
  const chats = kind === 'messages' || kind === 'supervised' ? [] : otherNames.messages!;
  const names = otherNames[field] ?? [];
  const known = field === 'prompt' ? [...chats, 'messages', ...names] : names;
  return known.find((name) => holds(row[name]) && couldBe(field, row[name]));
};

/** Whether a value fits the field; a CSV cell is always text. */
const couldBe = (field: string, value: unknown): boolean => {
  if (typeof value === 'string') return true;
  if (field === 'label') return typeof value === 'boolean' || value === 0 || value === 1;
  if (['messages', 'completions', 'ranking', 'scores', 'labels'].includes(field)) {
    return Array.isArray(value);
  }
  if (field === 'text') return false;
  return Array.isArray(value) || isPlainObject(value);
};

const isShareGpt = (value: unknown): boolean =>
  Array.isArray(value) && isPlainObject(value[0]) && 'from' in value[0] && 'value' in value[0];

/** Messages inside another object, as in OpenAI's files. */
const nestedAdvice = (kind: RowKind, row: Fields): string | undefined => {
  const to = kind === 'messages' || kind === 'supervised' ? 'messages' : 'prompt';
  for (const [holder, form] of [
    ['body', "This is a request of OpenAI's batch interface"],
    ['input', "This is OpenAI's preference form"],
  ] as const) {
    const held = row[holder];
    if (!isPlainObject(held) || !Array.isArray(held.messages)) continue;
    const parts = [`"${holder}.messages" to "${to}"`];
    if (holds(held.tools)) parts.push(`"${holder}.tools" to "tools"`);
    for (const field of ['chosen', 'rejected']) {
      const other = otherName(row, field, kind);
      if (to === 'prompt' && other !== undefined) parts.push(`"${other}" to "${field}"`);
    }
    return `${form}: rename ${joined(parts)}`;
  }
  return undefined;
};

/** xLAM's rows: a question, tools, and the calls that answer it. */
const callsAdvice = (kind: RowKind, row: Fields): string | undefined => {
  if (!['messages', 'supervised', 'completion'].includes(kind)) return undefined;
  const { query, answers } = row;
  if (!holds(query) || 'messages' in row || !areCalls(answers)) return undefined;
  const tools = holds(row.tools)
    ? '. Write each entry of "tools" as {"type": "function", "function": {"name": …, "description": …, "parameters": …}}, with a JSON schema in "parameters"'
    : '';
  return `This is the xLAM form: replace "query" and "answers" with "messages": {"role": "user", "content": …} with the query, then {"role": "assistant", "tool_calls": …} with the calls of "answers"${tools}`;
};

/** A list of {"name": …, "arguments": …}, or such a list as JSON text. */
const areCalls = (value: unknown): boolean =>
  typeof value === 'string'
    ? /^\s*\[\s*\{/.test(value) && value.includes('"arguments"')
    : Array.isArray(value) && isPlainObject(value[0]) && 'arguments' in value[0];

const numbered = /^(.*?)_?([01abjk]|[12])$/i;

/** Two answers told apart by a number or letter; another field says which one is better. */
const twoAnswersAdvice = (kind: RowKind, row: Fields): string | undefined => {
  if ((kind !== 'preference' && kind !== 'judged') || 'chosen' in row || 'rejected' in row) {
    return undefined;
  }
  const stems = new Map<string, string[]>();
  for (const name of Object.keys(row)) {
    const stem = numbered.exec(name)?.[1];
    if (stem === undefined || !/respon|answer|output|completion|generation/i.test(stem)) continue;
    if (typeof row[name] !== 'string' && !Array.isArray(row[name])) continue;
    stems.set(stem, [...(stems.get(stem) ?? []), name]);
  }
  const two = [...stems.values()].find((names) => names.length === 2);
  if (two === undefined) return undefined;
  return `Write the better one of ${two.map(shown).join(' and ')} as "chosen" and the other as "rejected"`;
};

/**
 * Advice for a value that is neither text nor a list of messages, in a field for a text or chat.
 */
export const contentAdvice = (value: unknown): string | undefined => {
  if (typeof value === 'string') return jsonTextAdvice(value);
  if (Array.isArray(value)) {
    return value.length > 0
      ? 'The list is nested in another list: remove the outer one'
      : undefined;
  }
  if (!isPlainObject(value)) return undefined;
  if ('role' in value && 'content' in value) {
    return 'Put the message in a list: [{"role": …, "content": …}]';
  }
  if ('from' in value && 'value' in value) {
    return 'This is the ShareGPT form: put the message in a list, [{"role": …, "content": …}], with its "value" as "content"';
  }
  if (Array.isArray(value.messages)) return 'Replace the object with the list in its "messages"';
  const text = ['response', 'text', 'content', 'output', 'answer'].find(
    (name) => typeof value[name] === 'string',
  );
  if (text === undefined) return undefined;
  const score = ['overall_score', 'score', 'rating'].find((name) => name in value);
  const scores = score === undefined ? '' : `. Collect "${score}" in a list "scores"`;
  return `Replace the object with the text of its "${text}"${scores}`;
};

const jsonTextAdvice = (text: string): string | undefined => {
  if (!/^\s*(\[\s*[[{]|\{)/.test(text)) return undefined;
  return /^\s*\[\s*\{\s*'/.test(text)
    ? "This is Python's repr of a list: write rows with json.dumps"
    : 'This is JSON inside a JSON string: write the list of messages itself';
};
