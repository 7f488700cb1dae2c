// Finds where an answer starts in a rendered conversation, as seen from its prompt.
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
  /** Where the answer starts in the whole conversation. */
  start: number;
  /**
   * Length of the prompt before the answer: all of it, or all except the reasoning block that it
   * opens.
   */
  promptLength: number;
}

/**
 * Compares what follows the last shared message in the prompt and in the whole conversation.
 *
 * - The whole contains all of it: the answer follows.
 * - The prompt opens something that the whole lacks, such as `<think>`: the answer starts where the
 *   two diverge. The prompt keeps what it opened only if that is closed again, as in an empty
 *   reasoning block.
 * - The template changes earlier text when an answer follows, before or after the last shared
 *   message: the prompt stays as it is sampled from.
 *
 * @param prompt the conversation before the answer, with the header of an answer
 * @param at index of the answer's first message
 * @throws ChatTemplateError if the whole lacks the message that the prompt ends with
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
      `The chat template drops message ${asked + 1} of the prompt (${chat.messages[asked]!.role}) when an answer follows, ` +
        `so training would use a different prompt. Pass another template with --chat-template.\nThe prompt:\n${prompt.text}\nWith its answer:\n${whole.text}`,
    );
  }
  const { length } = prompt.text;
  let { a, b } = commonEnd(whole, prompt, at - 1);
  let tail = prompt.text.slice(b);
  if (whole.text.startsWith(tail, a)) return { start: a + tail.length, promptLength: length };
  const before = { ...chat, messages: chat.messages.slice(0, at) };
  const opened = openedText(before, prompt);
  if (opened !== '' && !leavesOpen(opened)) {
    const after = afterSpaced(tail, whole.text, a);
    if (after !== null) return { start: after, promptLength: length };
  }
  if (!whole.text.startsWith(tail.slice(0, tail.length - opened.length), a)) {
    ({ a, b } = atHeader(before, whole, prompt, { a, b }));
    tail = prompt.text.slice(b);
    if (whole.text.startsWith(tail, a)) return { start: a + tail.length, promptLength: length };
  }
  const header = tail.slice(0, tail.length - opened.length);
  const shared = sharedTags(whole.text, a, prompt.text, b);
  if (!whole.text.startsWith(header, a)) {
    const own = whole.spans.find(({ message, start }) => message === at && start >= a);
    // The prompt has more before the header, such as an end mark that only a last turn has.
    const written = whole.text.slice(a, own?.start);
    if (own !== undefined && written.trim() !== '' && tail.endsWith(written)) {
      return { start: own.start, promptLength: length };
    }
    const between = [whole.text.slice(a + shared, own?.start), prompt.text.slice(b + shared)];
    const [inWhole, inPrompt] = between as [string, string];
    // Only a sampled header has settings in it, and both headers end alike.
    if (own?.field === 'content' && inWhole.trim() !== '' && inPrompt.endsWith(inWhole)) {
      return { start: own.start, promptLength: length };
    }
    // The header counts turns, for example: the answer is its own text. A tag before that text is
    // part of the answer. A tag that only the prompt has is not before this answer.
    return own?.field === 'content' && !between.some((text) => anyTag.test(text))
      ? { start: own.start, promptLength: length }
      : { start: a + shared, promptLength: b + shared };
  }
  // The answer has a reasoning block too: both are the same up to where it differs.
  if (shared > header.length) return { start: a + shared, promptLength: b + shared };
  return {
    start: a + header.length,
    promptLength: leavesOpen(opened) ? length - opened.length : length,
  };
}

/**
 * The end of a piece in a text from `from`, if only the white space in it differs; null if anything
 * else does. A block that the prompt closes is then not repeated in the answer.
 */
function afterSpaced(piece: string, text: string, from: number): number | null {
  const written = piece.trimEnd();
  let end = from;
  for (const character of written.replaceAll(/\s+/g, '')) {
    while (/\s/.test(text.charAt(end))) end++;
    if (!text.startsWith(character, end)) return null;
    end += character.length;
  }
  return end + sharedLength(piece, written.length, text, end);
}

/**
 * Where the header of the answer starts in both texts, if the template writes something else before
 * it when an answer follows, such as one newline more; otherwise `from`.
 * @param chat the conversation before the answer
 * @param from where the last shared message ends
 */
function atHeader(
  { tokenizer, messages, rendering }: Chat,
  whole: RenderedChat,
  prompt: RenderedChat,
  from: { a: number; b: number },
): { a: number; b: number } {
  let unasked: string;
  try {
    unasked = renderChat(tokenizer, messages, rendering, 'whole').text;
  } catch {
    return from;
  }
  const b = sharedTags(prompt.text, 0, unasked, 0);
  if (b <= from.b || whole.text.startsWith(prompt.text.slice(from.b, b), from.a)) return from;
  const header = prompt.text.slice(b);
  const own = whole.spans.find(
    ({ message, start }) => message >= messages.length && start >= from.a,
  );
  const best = findHeader(header, whole.text, from.a, own?.start ?? whole.text.length);
  return best.length > 0 ? { a: best.start, b } : from;
}

/**
 * Where most of a header is in a text between two places: all of it, or all except tags at its end
 * that open something. The length is 0 if it is not there.
 */
export function findHeader(
  header: string,
  text: string,
  from: number,
  to: number,
): { start: number; length: number } {
  let best = { start: from, length: 0 };
  for (let start = from; start < to; start++) {
    const length = sharedHeader(header, text, start);
    // The last one is next to the answer.
    if (length > 0 && length >= best.length) best = { start, length };
  }
  return best;
}

/**
 * How much of a header a text has at `from`: all of it, or all except tags at its end that open
 * something; otherwise 0.
 */
function sharedHeader(header: string, text: string, from: number): number {
  let length = sharedLength(header, 0, text, from);
  while (length > 0 && length < header.length && !startsWithTag.test(header.slice(length))) {
    length--;
  }
  return header.slice(0, length).trim() === '' ? 0 : length;
}

const startsWithTag = /^\s*[<[]/;
const anyTag = /[<[][^<>[\]\s]+[>\]]/;

/**
 * Whether a tag is opened but not closed: `</x>` closes `<x>`, `[/X]` closes `[X]`, and `<x|>`
 * closes `<|x>`.
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
 * The start of an answer that is saved as a message: the text that the generation prompt opens and
 * the answer closes, such as `<think>\n`. Often ''. A block that the prompt itself closes belongs
 * to the prompt.
 * @param opened the result of {@link openedText}
 */
export const answerOpening = (opened: string): string => (leavesOpen(opened) ? opened : '');

const probe = 'x';
const known = new WeakMap<ChatTemplate, Map<string, string>>();

/**
 * What the header of an answer opens in the answer's place, such as `<think>\n`: the end of the
 * prompt that is missing from a conversation with an answer, whether the answer is its last turn or
 * an earlier one. Usually ''.
 * @param chat the conversation before the answer
 * @param prompt that conversation, rendered with the header of an answer
 */
export function openedText(chat: Chat, prompt: RenderedChat): string {
  const { messages, rendering } = chat;
  const template = chat.tokenizer.chatTemplate!;
  const texts = known.get(template) ?? new Map<string, string>();
  known.set(template, texts);
  // A message may say what is opened, as "/no_think" does: then the prompt ends otherwise.
  const key = exactJson([
    rendering?.variables ?? {},
    rendering?.tools != null,
    messages.map(({ role }) => role),
    prompt.text.slice(prompt.spans.at(-1)?.end ?? 0),
  ]);
  const before = texts.get(key);
  if (before !== undefined) return before;
  const at = messages.length;
  const answered: Message[] = [...messages, { role: 'assistant', content: probe }];
  const starts = [answered, [...answered, { role: 'user', content: probe }]].flatMap((longer) => {
    const start = openedAt(chat, prompt, longer, at);
    return start === null ? [] : [start];
  });
  const rest = starts.length === 0 ? '' : prompt.text.slice(Math.min(...starts));
  // Anything other than a tag is a header that counts turns, or similar.
  const opened = startsWithTag.test(rest) ? rest : '';
  texts.set(key, opened);
  return opened;
}

/**
 * Where the prompt diverges from what a longer conversation has before its answer; null if the
 * template rejects that conversation.
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
  const { a, b } = atHeader(chat, whole, prompt, commonEnd(whole, prompt, at - 1));
  const shared = sharedLength(whole.text, a, prompt.text, b);
  const own = startOf(whole.spans, at, a);
  const header = b + (own === null ? shared : Math.min(shared, own - a));
  if (header === prompt.text.length) return header;
  // The conversation immediately closes what the prompt opens: `<think></think>`.
  const tag = /[<[]([^<>[\]/\s]+)[>\]]$/.exec(prompt.text.slice(b, header));
  const closing = /^\s*[<[]\/([^<>[\]\s]+)[>\]]/.exec(whole.text.slice(a + shared));
  return tag !== null && closing?.[1] === tag[1] ? b + tag.index : header;
}
