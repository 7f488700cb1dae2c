// Detects text that a chat template drops, so that it cannot be missed in training without a
// warning: what the assistant says, and whole messages of others.
import { ChatTemplateError, type RenderedChat } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import { type Message, textOf } from '../data/messages.ts';
import { callsOf, withNames } from '../data/tool-calls.ts';
import { type Chat, renderChat } from './chat-rendering.ts';
import { isLearned } from './chat-turns.ts';

/** Fields of a message that hold the model's own text. */
const spokenFields = [
  'content',
  'reasoning_content',
  'reasoning',
  'thinking',
  'tool_plan',
  'tool_calls',
];

/**
 * The fields of the assistant's turns, from message `first`, of which the template drops text.
 * White space and tags do not count: templates trim text, and write tags such as `<think>`
 * themselves.
 * @param after where the text that is used starts: text that the template writes before it is lost
 *   too, except what the prompt has begun
 * @param begun the start of message `first` in the prompt, if the answer continues it
 */
export function lostFields(
  chat: Chat,
  { text, spans }: Pick<RenderedChat, 'text' | 'spans'>,
  first: number,
  { after = 0, begun }: { after?: number; begun?: Message | undefined } = {},
): string[] {
  const inPrompt = (at: number, field: string, value: unknown): boolean =>
    at === first &&
    (begun === undefined || field === 'content' || exactJson(begun[field]) === exactJson(value));
  const { messages } = chat;
  const lost = new Set<string>();
  messages.forEach((message, at) => {
    if (at < first || !isLearned(message)) return;
    for (const field of spokenFields) {
      const value = message[field];
      const from = inPrompt(at, field, value) ? 0 : after;
      const own = spans.filter((span) => span.message === at && span.field === field);
      const written = own
        .map(({ start, end }) => text.slice(Math.max(start, from), Math.max(end, from)))
        .join('');
      if (isLost(value, written)) lost.add(field);
    }
  });
  if (!lost.has('tool_calls') && losesCalls(chat, first)) lost.add('tool_calls');
  return [...lost];
}

/**
 * Whether the template skips some of several calls in a turn, as one that was written for a single
 * call does.
 */
function losesCalls({ tokenizer, messages, rendering }: Chat, first: number): boolean {
  const calling = messages.flatMap((message, at) =>
    at >= first && isLearned(message) && callsOf(message).length > 1 ? [at] : [],
  );
  if (calling.length === 0) return false;
  // Calls may be the same but for their place, so each gets a name that occurs nowhere else.
  const nameOf = (at: number, index: number): string => `call_${at}_${index}_of_keel`;
  const named = messages.map((message, at) =>
    calling.includes(at) ? withNames(message, (index) => nameOf(at, index)) : message,
  );
  try {
    const { text } = renderChat(tokenizer, named, rendering, 'whole');
    return calling.some((at) =>
      callsOf(messages[at]!).some((_, index) => !text.includes(nameOf(at, index))),
    );
  } catch (error) {
    // A template that knows only certain functions.
    if (error instanceof ChatTemplateError) return false;
    throw error;
  }
}

/**
 * Whether the template writes nothing of the assistant's turns from message `first` on, for example
 * because it trims white space or drops reasoning. Only the end of the turn would be trained on.
 * @param begun text of message `first` that belongs to the prompt, and where it ends in the whole
 */
export function isSilent(
  { tokenizer, messages, rendering }: Chat,
  { text, spans }: Pick<RenderedChat, 'text' | 'spans'>,
  first: number,
  begun = { text: '', end: 0 },
): boolean {
  const isOwn = (at: number): boolean => at >= first && isLearned(messages[at]!);
  const isSaid = spans.some(
    ({ message, field, start, end }) =>
      isOwn(message) &&
      field !== 'role' &&
      text.slice(Math.max(start, begun.end), end).trim() !== '',
  );
  if (isSaid) return false;
  const emptied = messages.map((message, at) =>
    isOwn(at) ? { role: message.role, content: at === first ? begun.text : '' } : message,
  );
  try {
    return renderChat(tokenizer, emptied, rendering, 'whole').text === text;
  } catch (error) {
    if (error instanceof ChatTemplateError) return false;
    throw error;
  }
}

const suffix = ' message';
const earlierSuffix = ' of earlier turns';
const promptSuffix = ' of the generation prompt';

/**
 * What the generation prompt writes and the prompt of training lacks, if it closes a block, such as
 * an empty `<think></think>`: an answer with reasoning of its own fills that block, so training
 * starts within it, and sampling after it.
 * @param sampled the prompt that answers are sampled from
 * @param length of the part that training has
 */
export function lostPrompt(sampled: string, length: number): string[] {
  const rest = sampled.slice(length);
  return /<\/[\w|]+>/.test(rest) ? [`${JSON.stringify(rest)}${promptSuffix}`] : [];
}

/**
 * What the assistant said in turns that are not trained on, and that the template drops: text, or
 * all calls of a turn. The model then answers without having seen it. Reasoning does not count,
 * since many templates forget that of earlier turns on purpose.
 * @param first messages before it are not trained on
 * @returns fields, each with "of earlier turns"
 */
export function lostHistory(
  messages: readonly Message[],
  { text, spans }: Pick<RenderedChat, 'text' | 'spans'>,
  first: number,
): string[] {
  const lost = new Set<string>();
  messages.forEach((message, at) => {
    if (message.role !== 'assistant' || (at >= first && isLearned(message))) return;
    for (const field of ['content', 'tool_calls']) {
      const value = field === 'content' ? textOf(message).replaceAll(THOUGHT, '') : message[field];
      const written = spans
        .filter((span) => span.message === at && span.field === field)
        .map(({ start, end }) => text.slice(start, end))
        .join('');
      if (isLost(value, written)) lost.add(`${field}${earlierSuffix}`);
    }
  });
  return [...lost];
}

const THOUGHT = /<think>[\s\S]*?<\/think>/g;

/**
 * Messages of others than the assistant that the template skips entirely, each as its role and
 * "message", such as "system message". A switch such as "/no_think" is said to the template.
 * @param from the first message that is looked for in this rendering
 * @param to the message after the last
 * @param after where the text that is used starts: a message before it is skipped too
 */
export function lostMessages(
  messages: readonly Message[],
  { text, spans }: Pick<RenderedChat, 'text' | 'spans'>,
  { from = 0, to = messages.length, after = 0 } = {},
): string[] {
  const written = new Set(
    spans
      .filter(({ start, end }) => text.slice(Math.max(start, after), end).trim() !== '')
      .map(({ message }) => message),
  );
  const lost = messages.filter(
    (message, at) =>
      at >= from &&
      at < to &&
      message.role !== 'assistant' &&
      !/^\s*(\/\w+\s*)*$/.test(textOf(message)) &&
      !written.has(at),
  );
  return [...new Set(lost.map(({ role }) => `${role}${suffix}`))];
}

/** Names of what a template drops, by kind. */
export interface LostParts {
  /** Fields of the assistant's turns that are trained on. */
  fields: string[];
  /** Fields of its earlier turns, see {@link lostHistory}. */
  earlier: string[];
  /** Roles of whole messages, see {@link lostMessages}. */
  roles: string[];
  /** What the prompt of training lacks, see {@link lostPrompt}. */
  opened: string[];
}

const ends = [suffix, earlierSuffix, promptSuffix];

/** Sorts the names of {@link lostFields} and of the others. */
export const lostParts = (lost: readonly string[]): LostParts => {
  const named = (end: string): string[] =>
    lost.filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length));
  return {
    fields: lost.filter((name) => ends.every((end) => !name.endsWith(end))),
    ...{ earlier: named(earlierSuffix), roles: named(suffix), opened: named(promptSuffix) },
  };
};

/** Whether a field is a list that is not empty. */
export const hasItems = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

/** Whether a field's text, or all items of its list, are not in what the template wrote of it. */
const isLost = (value: unknown, written: string): boolean =>
  typeof value === 'string'
    ? wordLength(written) < wordLength(value)
    : hasItems(value) && written === '';

/** Characters that are neither white space nor part of a tag. */
const wordLength = (text: string): number =>
  text.replaceAll(/<\/?[\w|]+>/g, '').replaceAll(/\s+/g, '').length;
