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
  /**
   * How much of the prompt stands before it: all of it, or all but the reasoning block that it
   * opens.
   */
  promptLength: number;
}

/**
 * Compares what the prompt and the whole conversation have after the last message that they share.
 *
 * - The whole has all of it: the answer follows.
 * - The prompt opens something that the whole does not have, such as `<think>`: the answer begins
 *   where both part. The prompt keeps what it opened only if that is closed again, as an empty
 *   block of reasoning is.
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
  const { a, b } = commonEnd(whole, prompt, at - 1);
  const tail = prompt.text.slice(b);
  if (whole.text.startsWith(tail, a)) {
    return { start: a + tail.length, promptLength: prompt.text.length };
  }
  const opened = openedText({ ...chat, messages: chat.messages.slice(0, at) }, prompt);
  const header = tail.slice(0, tail.length - opened.length);
  const { length } = prompt.text;
  const shared = sharedTags(whole.text, a, prompt.text, b);
  if (!whole.text.startsWith(header, a)) {
    const own = whole.spans.find(({ message, start }) => message === at && start >= a);
    const between = whole.text.slice(a + shared, own?.start);
    // A header that counts turns, or the like: the answer is its own text. A tag before that text
    // is part of the answer.
    return own?.field === 'content' && !anyTag.test(between)
      ? { start: own.start, promptLength: length }
      : { start: a + shared, promptLength: b + shared };
  }
  // The answer has a block of reasoning as well: both are the same up to where it differs.
  if (shared > header.length) return { start: a + shared, promptLength: b + shared };
  return {
    start: a + header.length,
    promptLength: leavesOpen(opened) ? length - opened.length : length,
  };
}

const anyTag = /[<[][^<>[\]\s]+[>\]]/;

/**
 * Whether a tag is opened that is not closed again, as `<x>` is by `</x>`, `[X]` by `[/X]` and
 * `<|x>` by `<x|>`.
 */
function leavesOpen(opened: string): boolean {
  let open = 0;
  for (const [, slash, before, after] of opened.matchAll(
    /[<[](\/?)(\|?)[^<>[\]|/\s]+(\|?)[>\]]/g,
  )) {
    const closes = slash !== '' || (before === '' && after !== '');
    open = closes ? Math.max(0, open - 1) : open + 1;
  }
  return open > 0;
}

/**
 * What an answer begins with where it is written down as a message: the text that the generation
 * prompt opened and that the answer closes, such as `<think>\n`. Mostly ''. A block that the prompt
 * closes again stays the prompt's.
 * @param opened as {@link openedText} finds it
 */
export const answerOpening = (opened: string): string => (leavesOpen(opened) ? opened : '');

const probe = 'x';
const known = new WeakMap<ChatTemplate, Map<string, string>>();

/**
 * What the header of an answer begins in the answer's place, such as `<think>\n`: the end of the
 * prompt that a conversation with an answer does not have, neither as its last turn nor as an
 * earlier one. Mostly ''.
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
  const starts = [answered, [...answered, { role: 'user', content: probe }]].flatMap((longer) => {
    const start = openedAt(chat, prompt, longer, at);
    return start === null ? [] : [start];
  });
  const rest = starts.length === 0 ? '' : prompt.text.slice(Math.min(...starts));
  // Anything but a tag is a header that counts turns, or the like.
  const opened = /^\s*[<[]/.test(rest) ? rest : '';
  texts.set(key, opened);
  return opened;
}

/**
 * Where the prompt stops being what a conversation that goes on has before its answer; null where
 * the template refuses it.
 */
function openedAt(
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
  const { a, b } = commonEnd(whole, prompt, at - 1);
  const shared = sharedLength(whole.text, a, prompt.text, b);
  const own = startOf(whole.spans, at, a);
  const header = b + (own === null ? shared : Math.min(shared, own - a));
  if (header === prompt.text.length) return header;
  // The conversation closes at once what the prompt opens: `<think></think>`.
  const tag = /[<[]([^<>[\]/\s]+)[>\]]$/.exec(prompt.text.slice(b, header));
  const closing = /^\s*[<[]\/([^<>[\]\s]+)[>\]]/.exec(whole.text.slice(a + shared));
  return tag !== null && closing?.[1] === tag[1] ? b + tag.index : header;
}
