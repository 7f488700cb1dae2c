// Finds the assistant's turns in a rendered chat. The conversation is rendered once, and the
// renderer reports which text came from which message. A turn starts after the header that the
// template writes for an answer, and ends where the template ends that turn. Both are found by
// comparing what follows the same message's text in two renderings: of the whole, and of the
// conversation up to that point. Earlier turns may thus be rendered differently once later ones
// follow, as in templates that drop old reasoning.
import type { ContentSpan, GenerationSpan, RenderedChat } from '@keel/model';
import { isTrained } from '../data/message-fields.ts';
import type { Message } from '../data/messages.ts';
import { answerStart, findHeader } from './answer-start.ts';
import { type Chat, commonEnd, endOf, sharedTags, startOf } from './chat-rendering.ts';
import { endMarkLength } from './end-marks.ts';
import { headerAfterQuestion, renderHeader, renderUpTo } from './part-rendering.ts';

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
  /** Whether a template that marks generated text ({% generation %}) decides what is scored. */
  marked: boolean;
}

/**
 * Whether the model is trained on a message: the assistant's, unless the row marks it as not
 * trained on.
 */
export const isLearned = (message: Message): boolean =>
  message.role === 'assistant' && isTrained(message);

/**
 * The scored parts of a rendered chat. A turn is everything that the template writes from the
 * assistant's first word to the end of the turn, including its end token. In supervised
 * fine-tuning, a template that marks generated text decides itself, as in TRL
 * (assistant_only_loss).
 * @param begins where the turn of message `first` starts, if a prompt precedes it
 */
export function scoredRanges(
  chat: Chat,
  whole: RenderedChat,
  { first, turns, marked }: TurnOptions,
  begins?: number,
): TextRange[] {
  const { messages } = chat;
  const spoken = messages.flatMap(({ role }, at) =>
    role === 'assistant' && at >= first ? [at] : [],
  );
  const wanted = (turns === 'last' ? spoken.slice(-1) : spoken).filter((at) =>
    isLearned(messages[at]!),
  );
  if (marked && whole.generation !== null) {
    return whole.generation.filter((range) => wanted.includes(writerOf(whole, range)));
  }
  return turnRanges(chat, whole, wanted, (at) => (at === first ? begins : undefined));
}

/**
 * The message of a marked range: the one whose text it contains, or else the one that the template
 * was rendering, or else the one whose text came last before it.
 */
function writerOf({ spans }: RenderedChat, { start, end, message }: GenerationSpan): number {
  const inside = spans.find((span) => span.start >= start && span.end <= end);
  if (inside === undefined && message >= 0) return message;
  return (inside ?? spans.findLast((span) => span.end <= start))?.message ?? -1;
}

/**
 * Everything from `from`, except the assistant's turns that the row marks as not trained on.
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
  const headers = new Map<string, KnownHeader>();
  const ends = new Map<string, number>();
  return turns.flatMap((at) => {
    const start = begins(at) ?? turnStart(chat, whole, at, headers);
    if (start === null) return [];
    const split = splitTurn(whole, at);
    const found =
      split === null
        ? [{ start, end: turnEnd(chat, whole, at, ends) }]
        : splitRanges(chat, whole, at, start, split);
    return found.filter((range) => range.end > range.start);
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

interface KnownHeader {
  /** Where the turn begins, counted from the end of the message before. */
  offset: number;
  /** The first character of what the prompt has in place of the answer's text, or ''. */
  opens: string;
}

/**
 * Where message `at` starts in the whole (null if it is not rendered), based on the conversation
 * before it with the header of an answer.
 * @param known headers found earlier, by what the template writes between the two messages. An
 *   answer that starts with a tag, or as the prompt continues, may share more with its prompt.
 */
function turnStart(
  chat: Chat,
  whole: RenderedChat,
  at: number,
  known: Map<string, KnownHeader>,
): number | null {
  const own = startOf(whole.spans, at, 0);
  // Nothing before it is rendered: its header is the one after a question.
  if (!whole.spans.some(({ message }) => message < at)) {
    return own === null ? null : startAfterHeader(chat, whole, at, own);
  }
  const before = endBefore(whole, at);
  const key = own === null || own < before ? null : whole.text.slice(before, own);
  const header = key === null ? undefined : known.get(key);
  if (header !== undefined && !['<', '[', header.opens].includes(whole.text.charAt(own!))) {
    return before + header.offset;
  }
  const prompt = renderHeader(chat, at);
  if (prompt === null) return own === null ? null : startAfterHeader(chat, whole, at, own);
  const isDropped = endOf(whole.spans, at - 1) === null;
  // The message before it is written only while no answer follows.
  if (isDropped && endOf(prompt.spans, at - 1) !== null) return own;
  if (own === null) {
    // None of its text is rendered, but the template may write something in its place.
    const { a, b } = commonEnd(whole, prompt, at - 1);
    const header = prompt.text.slice(b);
    return whole.text.startsWith(header, a) ? a + header.length : null;
  }
  const { start } = answerStart(chat, whole, prompt, at);
  if (key !== null && start <= own) {
    const { a, b } = commonEnd(whole, prompt, at - 1);
    known.set(key, { offset: start - before, opens: prompt.text.charAt(b + own - a) });
  }
  return start;
}

/**
 * Where message `at` starts, if there is no question before it, or the template requires one before
 * an answer.
 */
function startAfterHeader(chat: Chat, whole: RenderedChat, at: number, own: number): number {
  const header = headerAfterQuestion(chat, at);
  const { start, length } = findHeader(header, whole.text, endBefore(whole, at), own);
  if (length === 0) return own;
  // Of a block of reasoning that both open, the answer is what follows the tag.
  return Math.min(own, start + Math.max(length, sharedTags(whole.text, start, header, 0)));
}

/** Where message `at` ends in the whole, based on the conversation that ends with it. */
function turnEnd(chat: Chat, whole: RenderedChat, at: number, known: Map<string, number>): number {
  const { messages } = chat;
  if (at === messages.length - 1) return whole.text.length;
  const [own, next] = [endBefore(whole, at + 1), startOf(whole.spans, at + 1, 0)];
  const key =
    next === null || next < own
      ? null
      : `${messages[at + 1]!.role}\n${whole.text.slice(own, next)}`;
  const offset = key === null ? undefined : known.get(key);
  if (offset !== undefined) return own + offset;
  const end = endAlike(chat, whole, renderUpTo(chat, at), at);
  // Where the next header repeats a name, the turn's end is before that text: no fixed distance.
  if (key !== null && end >= own) known.set(key, end - own);
  return end;
}

type WrittenText = Pick<RenderedChat, 'text' | 'spans'>;

/**
 * Where message `at` ends in the whole, seen from a rendering that ends with it (null if the
 * template rejects it).
 * @param next the message that follows its text
 */
function endAlike(
  { tokenizer }: Chat,
  whole: WrittenText,
  ended: WrittenText | null,
  at: number,
  next = at + 1,
): number {
  const common = commonEnd(whole, ended ?? whole, at);
  const shared = ended === null ? 0 : sharedTags(whole.text, common.a, ended.text, common.b);
  const until = startOf(whole.spans, next, common.a) ?? whole.text.length;
  const end = common.a + shared;
  const border = {
    ...{ from: endBefore(whole, at), end, shared, next: until },
    last: ended?.text.slice(common.b + shared) ?? '',
  };
  return Math.min(end + endMarkLength(tokenizer, whole, border), until);
}

/** A turn that holds other messages, such as the results of its calls before its own text. */
interface SplitTurn {
  /** The last message that is written before the rest of the turn. */
  held: number;
  /** Where the first text of such a message is. */
  from: number;
  /**
   * Fields that are written behind it only. What is there a second time is the template's, and so
   * is the name of a called function.
   */
  fields: ReadonlySet<string>;
}

/** How the turn of message `at` is split in the whole; null where it stands in one piece. */
function splitTurn({ spans }: RenderedChat, at: number): SplitTurn | null {
  const first = spans.findIndex(({ message }) => message === at);
  const other = spans.findIndex(({ message }, index) => index > first && message > at);
  if (first < 0 || other < 0) return null;
  const own = (from: number, to?: number) =>
    spans.slice(from, to).filter(({ message }) => message === at);
  const before = new Set(own(0, other).map(({ field }) => field));
  const rest = own(other).filter(({ field }) => field !== 'tool_calls' && !before.has(field));
  if (rest.length === 0) return null;
  const held = spans
    .slice(other)
    .filter(({ message, end }) => message > at && end <= rest[0]!.start);
  return {
    held: Math.max(...held.map(({ message }) => message)),
    from: spans[other]!.start,
    fields: new Set(rest.map(({ field }) => field)),
  };
}

/** A split turn without what it holds. */
function splitRanges(
  chat: Chat,
  whole: RenderedChat,
  at: number,
  start: number,
  { held, from, fields }: SplitTurn,
): TextRange[] {
  const { messages } = chat;
  const isRest = ({ message, field }: ContentSpan): boolean => message === at && fields.has(field);
  const begun = ({ text, spans }: WrittenText, to: number): WrittenText => ({
    text,
    spans: spans.filter((span) => span.message !== at || (!isRest(span) && span.start < to)),
  });
  const rest = ({ text, spans }: WrittenText): WrittenText => ({
    text,
    spans: spans.filter((span) => span.message !== at || isRest(span)),
  });
  const ended = renderUpTo(chat, at);
  const endedHere = ended && begun(ended, ended.text.length);
  const ranges = [{ start, end: endAlike(chat, begun(whole, from), endedHere, at) }];
  const written = whole.spans.filter(isRest);
  // Empty text only marks a place.
  if (written.every((span) => span.start === span.end)) return ranges;
  const heldEnd = held === messages.length - 1 ? null : renderUpTo(chat, held);
  const end =
    held === messages.length - 1
      ? whole.text.length
      : endAlike(chat, rest(whole), heldEnd && rest(heldEnd), at, held + 1);
  return [...ranges, { start: written[0]!.start, end }];
}

/** Where the text of the messages before `at` ends. */
const endBefore = (whole: WrittenText, at: number): number =>
  endOf(whole.spans, at - 1) ?? commonEnd(whole, whole, at - 1).a;
