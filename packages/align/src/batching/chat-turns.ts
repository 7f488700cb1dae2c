// Finds the assistant's turns in a rendered chat. The conversation is rendered once, and the
// renderer reports which text came from which message. A turn starts after the header that the
// template writes for an answer, and ends where the template ends that turn. Both are found by
// comparing what follows the same message's text in two renderings: of the whole, and of the
// conversation up to that point. Earlier turns may thus be rendered differently once later ones
// follow, as in templates that drop old reasoning.
import type { RenderedChat } from '@keel/model';
import { isTrained } from '../data/message-fields.ts';
import type { Message } from '../data/messages.ts';
import { answerStart } from './answer-start.ts';
import { type Chat, commonEnd, endOf, renderChat, sharedTags, startOf } from './chat-rendering.ts';

/** Text between two borders of a rendered chat. */
export interface TextPiece {
  text: string;
  scored: boolean;
}

/** From `start` to `end`, in UTF-16 units of the rendered text. */
export interface TextRange {
  start: number;
  end: number;
}

export interface TurnOptions {
  /** The first message that may be scored. */
  first: number;
  /** Which of the assistant's turns are scored: all from `first`, or only the last. */
  turns: 'all' | 'last';
}

/**
 * Whether the model is trained on a message: the assistant's, unless the row marks it as not
 * trained on.
 */
export const isLearned = (message: Message): boolean =>
  message.role === 'assistant' && isTrained(message);

/**
 * The scored parts of a rendered chat. A turn is everything that the template writes from the
 * assistant's first word to the end of the turn, including its end token. In a whole chat, a
 * template that marks generated text ({% generation %}) decides itself, as in TRL
 * (assistant_only_loss).
 * @param begins where the turn of message `first` starts, if a prompt precedes it
 * @throws ChatTemplateError if the template rejects the conversation up to one of the turns
 */
export function scoredRanges(
  chat: Chat,
  whole: RenderedChat,
  { first, turns }: TurnOptions,
  begins?: number,
): TextRange[] {
  const { messages } = chat;
  const spoken = messages.flatMap(({ role }, at) =>
    role === 'assistant' && at >= first ? [at] : [],
  );
  const wanted = (turns === 'last' ? spoken.slice(-1) : spoken).filter((at) =>
    isLearned(messages[at]!),
  );
  if (begins === undefined && whole.generation !== null) {
    return whole.generation.filter((range) => wanted.includes(writerOf(whole, range)));
  }
  return turnRanges(chat, whole, wanted, (at) => (at === first ? begins : undefined));
}

/**
 * The message of a marked range: the one whose text it contains, or else the one whose text came
 * last before it.
 */
function writerOf({ spans }: RenderedChat, { start, end }: TextRange): number {
  const inside = spans.find((span) => span.start >= start && span.end <= end);
  return (inside ?? spans.findLast((span) => span.end <= start))?.message ?? -1;
}

/**
 * Everything from `from`, except the assistant's turns that the row marks as not trained on.
 * @throws ChatTemplateError as in {@link scoredRanges}
 */
export function everythingTrained(chat: Chat, whole: RenderedChat, from = 0): TextRange[] {
  const untrained = chat.messages.flatMap((message, at) =>
    message.role === 'assistant' && !isTrained(message) && startOf(whole.spans, at, from) !== null
      ? [at]
      : [],
  );
  const ranges: TextRange[] = [];
  let start = from;
  for (const turn of turnRanges(chat, whole, untrained)) {
    ranges.push({ start, end: turn.start });
    start = turn.end;
  }
  return [...ranges, { start, end: whole.text.length }];
}

function turnRanges(
  chat: Chat,
  whole: RenderedChat,
  turns: readonly number[],
  begins: (at: number) => number | undefined = () => undefined,
): TextRange[] {
  const headers = new Map<string, number>();
  const ends = new Map<string, number>();
  return turns.flatMap((at) => {
    const start = begins(at) ?? turnStart(chat, whole, at, headers);
    if (start === null) return [];
    const end = turnEnd(chat, whole, at, ends);
    return end > start ? [{ start, end }] : [];
  });
}

/** The text from `from`, in scored and unscored pieces. */
export function piecesOf(text: string, ranges: readonly TextRange[], from = 0): TextPiece[] {
  const pieces: TextPiece[] = [];
  let done = from;
  const add = (to: number, scored: boolean): void => {
    if (to > done) pieces.push({ text: text.slice(done, to), scored });
    done = Math.max(done, to);
  };
  for (const { start, end } of ranges) {
    add(start, false);
    add(end, true);
  }
  add(text.length, false);
  return pieces;
}

/**
 * Where message `at` starts in the whole (null if it is not rendered), based on the conversation
 * before it with the header of an answer.
 * @param known offsets found earlier, by what the template writes between the two messages
 */
function turnStart(
  chat: Chat,
  whole: RenderedChat,
  at: number,
  known: Map<string, number>,
): number | null {
  const { tokenizer, messages, rendering } = chat;
  const own = startOf(whole.spans, at, 0);
  // Nothing before it is rendered: a header cannot be distinguished from its text.
  if (endOf(whole.spans, at - 1) === null) return own;
  const before = endBefore(whole, at);
  const key = own === null || own < before ? null : whole.text.slice(before, own);
  const offset = key === null ? undefined : known.get(key);
  if (offset !== undefined) return before + offset;
  const prompt = renderChat(tokenizer, messages.slice(0, at), rendering, 'header');
  if (own === null) {
    // None of its text is rendered, but the template may write something in its place.
    const { a, b } = commonEnd(whole, prompt, at - 1);
    const header = prompt.text.slice(b);
    return whole.text.startsWith(header, a) ? a + header.length : null;
  }
  const { start } = answerStart(chat, whole, prompt, at);
  if (key !== null) known.set(key, start - before);
  return start;
}

/** The mark that ends a turn, for templates that end the last turn with a different mark. */
const firstTag = /^\s*<[^<>\s]+>/;

/** Where message `at` ends in the whole, based on the conversation that ends with it. */
function turnEnd(
  { tokenizer, messages, rendering }: Chat,
  whole: RenderedChat,
  at: number,
  known: Map<string, number>,
): number {
  if (at === messages.length - 1) return whole.text.length;
  const [own, next] = [endBefore(whole, at + 1), startOf(whole.spans, at + 1, 0)];
  const key =
    next === null || next < own
      ? null
      : `${messages[at + 1]!.role}\n${whole.text.slice(own, next)}`;
  const offset = key === null ? undefined : known.get(key);
  if (offset !== undefined) return own + offset;
  const ended = renderChat(tokenizer, messages.slice(0, at + 1), rendering, 'whole');
  const common = commonEnd(whole, ended, at);
  const shared = sharedTags(whole.text, common.a, ended.text, common.b);
  const tail = shared || (firstTag.exec(whole.text.slice(common.a))?.[0].length ?? 0);
  const end = Math.min(
    common.a + tail,
    startOf(whole.spans, at + 1, common.a) ?? whole.text.length,
  );
  if (key !== null) known.set(key, end - own);
  return end;
}

/** Where the text of the messages before `at` ends. */
const endBefore = (whole: RenderedChat, at: number): number =>
  endOf(whole.spans, at - 1) ?? commonEnd(whole, whole, at - 1).a;
