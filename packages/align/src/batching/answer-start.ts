// Where an answer begins in a rendered conversation, seen from the prompt that it answers.
import { type ChatTemplate, ChatTemplateError, type RenderedChat } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import type { Message } from '../data/messages.ts';
import {
  type Chat,
  commonEnd,
  endOf,
  renderChat,
  sharedLength,
  sharedTags,
  startOf,
} from './chat-rendering.ts';

export interface AnswerStart {
  /** Where the answer begins in the whole. */
  start: number;
  /** How much of the prompt stands before it: all of it, or all but the reasoning block that it opens. */
  promptLength: number;
}

/**
 * Compares what the prompt and the whole conversation have after the last message that they share.
 *
 * - The whole has all of it: the answer follows.
 * - The prompt opens something that the whole does not have, such as `<think>`: the answer begins where both part. The prompt
 *   keeps what it opened only if that is closed again, as an empty block of reasoning is.
 * - The template moves earlier text once an answer follows: the prompt stays as it is sampled from.
 *
 * @param prompt the conversation before the answer, with the header of an answer
 * @param at index of the answer's first message
 * @throws ChatTemplateError when the whole leaves out what the prompt ends with
 */
export function answerStart(
  chat: Chat,
  whole: RenderedChat,
  prompt: RenderedChat,
  at: number,
): AnswerStart {
  const asked = prompt.spans.findLast(({ message }) => message < at)?.message;
  if (asked !== undefined && endOf(whole.spans, asked) === null) {
    throw new ChatTemplateError(
      `The chat template leaves out message ${asked + 1} of the prompt (${chat.messages[asked]!.role}) once an answer follows, ` +
        `so the answer would be trained after another prompt.\nThe prompt:\n${prompt.text}\nWith its answer:\n${whole.text}`,
    );
  }
  const { a, b } = commonEnd(whole.spans, prompt.spans, at - 1);
  const tail = prompt.text.slice(b);
  if (whole.text.startsWith(tail, a)) {
    return { start: a + tail.length, promptLength: prompt.text.length };
  }
  const opened = openedText({ ...chat, messages: chat.messages.slice(0, at) }, prompt);
  const header = tail.slice(0, tail.length - opened.length);
  const { length } = prompt.text;
  if (!whole.text.startsWith(header, a)) {
    return { start: a + otherHeader(whole, prompt, a, b, at), promptLength: length };
  }
  const shared = sharedTags(whole.text, a, prompt.text, b);
  // The answer has a block of reasoning as well: both are the same up to where it differs.
  if (shared > header.length) return { start: a + shared, promptLength: b + shared };
  return {
    start: a + header.length,
    promptLength: leavesOpen(opened) ? length - opened.length : length,
  };
}

/** Length of a header that the whole writes otherwise: up to the answer's text, or as far as both have it. */
function otherHeader(
  whole: RenderedChat,
  prompt: RenderedChat,
  a: number,
  b: number,
  at: number,
): number {
  const own = whole.spans.find(({ message, start }) => message === at && start >= a);
  if (own?.field === 'content') return own.start - a;
  const shared = sharedTags(whole.text, a, prompt.text, b);
  return own === undefined ? shared : Math.min(shared, own.start - a);
}

/** Whether a tag is opened that is not closed again. */
function leavesOpen(opened: string): boolean {
  const open: string[] = [];
  for (const [, closes, name] of opened.matchAll(/[<[](\/?)([\w|]+)[>\]]/g)) {
    if (!closes) open.push(name!);
    else if (open.at(-1) === name) open.pop();
  }
  return open.length > 0;
}

const probe = 'x';
const known = new WeakMap<ChatTemplate, Map<string, string>>();

/**
 * What the header of an answer begins in the answer's place, such as `<think>\n`: the end of the prompt that a conversation
 * with an answer does not have, neither as its last turn nor as an earlier one. Mostly ''.
 * @param chat the conversation before the answer
 * @param prompt that conversation as rendered, with the header of an answer
 */
export function openedText(chat: Chat, prompt: RenderedChat): string {
  const { messages, rendering } = chat;
  const template = chat.tokenizer.chatTemplate!;
  const texts = known.get(template) ?? new Map<string, string>();
  known.set(template, texts);
  const key = exactJson([
    rendering?.variables ?? {},
    rendering?.tools != null,
    messages.at(-1)?.role,
  ]);
  const before = texts.get(key);
  if (before !== undefined && prompt.text.endsWith(before)) return before;
  const at = messages.length;
  const answered: Message[] = [...messages, { role: 'assistant', content: probe }];
  const headers = [answered, [...answered, { role: 'user', content: probe }]].flatMap((longer) => {
    const header = headerLength(chat, prompt, longer, at);
    return header === null ? [] : [header];
  });
  const rest = headers.length === 0 ? '' : prompt.text.slice(Math.min(...headers));
  // Anything but a tag is a header that counts turns, or the like.
  const opened = /^\s*[<[]/.test(rest) ? rest : '';
  texts.set(key, opened);
  return opened;
}

/** How much of the prompt a conversation that goes on has before its answer; null where the template refuses it. */
function headerLength(
  chat: Chat,
  prompt: RenderedChat,
  longer: readonly Message[],
  at: number,
): number | null {
  let whole: RenderedChat;
  try {
    whole = renderChat(chat.tokenizer, longer, chat.rendering, 'whole');
  } catch {
    return null;
  }
  const { a, b } = commonEnd(whole.spans, prompt.spans, at - 1);
  const shared = sharedLength(whole.text, a, prompt.text, b);
  const own = startOf(whole.spans, at, a);
  return b + (own === null ? shared : Math.min(shared, own - a));
}
