// Tokenises a prompt and answers to it, in the same way for every method that trains on given
// answers.
import { ChatTemplateError, type RenderedChat, type Tokenizer } from '@keel/model';
import { withoutMarks } from '../data/message-fields.ts';
import { type Content, isChat, type Message, textOf } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';
import { type AnswerStart, answerStart } from './answer-start.ts';
import { type Chat, commonEnd, renderChat, sharedTags, startOf } from './chat-rendering.ts';
import {
  everythingTrained,
  isLearned,
  piecesOf,
  scoredRanges,
  type TextPiece,
} from './chat-turns.ts';
import { isSilent, lostFields, lostHistory, lostMessages, lostPrompt } from './lost-text.ts';
import { endsWithCalls, promptText } from './prompt-text.ts';
import { type ScoredSequence, tokenisePieces } from './tokenise-pieces.ts';

/** The tokens of a prompt and of answers to it. */
export interface TokenisedAnswers {
  prompt: number[];
  /** All tokens are scored, except those of turns that are not the assistant's. */
  answers: ScoredSequence[];
  /**
   * Fields of the answers of which the chat template drops text, and messages of others, such as
   * "tool message".
   */
  lost: string[];
}

export interface AnswerRules {
  /** Chats: the assistant's turns that are scored, or everything after the prompt. */
  scored: 'all' | 'last' | 'everything';
  /**
   * Whether a template that marks generated text decides what is scored of these turns (default:
   * false, whole turns).
   */
  marked?: boolean;
}

/**
 * The tokens of answers as they follow their prompt, which has the same tokens as when the model is
 * sampled from. Chats are rendered with the model's template; plain answers end with the
 * end-of-sequence token.
 * @throws ChatTemplateError if the template rejects the row
 * @throws Error if the row is a chat and the model has no chat template
 */
export function tokeniseAnswers(
  prompt: Content,
  answers: readonly Content[],
  tokenizer: Tokenizer,
  rendering: Rendering | undefined,
  rules: AnswerRules = { scored: 'all' },
): TokenisedAnswers {
  const rendered = isChat(prompt)
    ? renderAnswers(prompt, answers as Message[][], { tokenizer, rendering }, rules)
    : plainAnswers(prompt, answers as string[]);
  const ends = !isChat(prompt);
  const text = { text: rendered.prompt, scored: false };
  let asked: number[] | undefined;
  const found = rendered.answers.map(({ pieces, silent }): ScoredSequence => {
    const whole = tokenisePieces([text, ...pieces], tokenizer, { begin: ends, end: ends });
    asked ??= whole.tokens.slice(0, whole.lengths[0]);
    const from = whole.lengths[0]!;
    const own = { tokens: whole.tokens.slice(from), scored: whole.scored.slice(from) };
    return silent ? { ...own, silent } : own;
  });
  return {
    prompt: asked ?? tokenizer.encode(rendered.prompt, { addSpecialTokens: ends }),
    answers: found,
    lost: [...new Set(rendered.answers.flatMap(({ lost }) => lost))],
  };
}

/** The text of a prompt and of the answers that follow it. */
interface AnswerTexts {
  prompt: string;
  answers: { pieces: TextPiece[]; lost: string[]; silent: boolean }[];
}

const plainAnswers = (prompt: string, answers: readonly string[]): AnswerTexts => ({
  prompt,
  answers: answers.map((text) => ({
    ...{ pieces: [{ text, scored: true }], lost: [], silent: false },
  })),
});

interface RenderedAnswer {
  chat: Chat;
  whole: RenderedChat;
  /** Index of the answer's first message in the whole. */
  first: number;
  start: number;
  promptLength: number;
  /** The part of message `first` that is in the prompt, if the answer continues it. */
  begun?: Message;
}

function renderAnswers(
  asked: readonly Message[],
  answers: readonly (readonly Message[])[],
  how: Pick<Chat, 'tokenizer' | 'rendering'>,
  { scored, marked = false }: AnswerRules,
): AnswerTexts {
  const prompt = answeredPrompt(asked, answers, how);
  const found = answers.map((answer) => renderAnswer(asked, answer, prompt, how));
  // A pair's answers share one prompt: what only some of them share belongs to the answers.
  const shortest = Math.min(prompt.text.length, ...found.map(({ promptLength }) => promptLength));
  const written = found.map(({ whole, start, promptLength }) =>
    whole.text.slice(0, start - (promptLength - shortest)),
  );
  // Nothing is sampled after calls: the prompt is what the conversations have, if it is the same.
  const isWritten = endsWithCalls(asked) && new Set(written).size === 1;
  return {
    prompt: isWritten ? written[0]! : prompt.text.slice(0, shortest),
    answers: found.map(({ chat, whole, first, start: after, promptLength, begun }) => {
      const start = after - (promptLength - shortest);
      const ranges =
        scored === 'everything'
          ? everythingTrained(chat, whole, start)
          : scoredRanges(chat, whole, { first, turns: scored, marked }, start);
      return {
        pieces: piecesOf(whole.text, ranges, start),
        lost: [
          ...lostFields(chat, whole, first, { after: start, begun }),
          ...lostPrompt(prompt.text, shortest),
          ...lostHistory(chat.messages, whole, first),
          ...lostMessages(chat.messages, prompt, { to: first }),
          // The template may move a message of the answer to before it.
          ...lostMessages(chat.messages, whole, { from: first, after: start }),
        ],
        silent: isSilentAnswer(chat, whole, { first, begun, start }, scored),
      };
    }),
  };
}

/**
 * The prompt of answers. Calls at its end are a complete turn if the answers start with their
 * results: the prompt ends after that turn.
 * @throws ChatTemplateError if an answer continues a turn that calls tools
 */
function answeredPrompt(
  asked: readonly Message[],
  answers: readonly (readonly Message[])[],
  how: Pick<Chat, 'tokenizer' | 'rendering'>,
): RenderedChat {
  if (!endsWithCalls(asked)) return promptText(asked, how);
  if (answers.some(([first]) => isAssistant(first))) {
    throw new ChatTemplateError(
      'The prompt ends with tool calls, but an answer does not start with their results. ' +
        'Add the results as "tool" messages, or move the calls from the prompt into the answers.',
    );
  }
  return renderChat(how.tokenizer, asked, how.rendering, 'whole');
}

const isAssistant = (message: Message | undefined): boolean => message?.role === 'assistant';

function isSilentAnswer(
  chat: Chat,
  whole: RenderedChat,
  { first, begun, start }: Pick<RenderedAnswer, 'first' | 'begun' | 'start'>,
  scored: AnswerRules['scored'],
): boolean {
  if (scored === 'everything') return false;
  const last = chat.messages.findLastIndex(isLearned);
  if (scored === 'last' && last > first) return isSilent(chat, whole, last);
  const text = begun === undefined ? '' : textOf(begun);
  return isSilent(chat, whole, first, { text, end: text === '' ? 0 : start });
}

function renderAnswer(
  asked: readonly Message[],
  answer: readonly Message[],
  prompt: RenderedChat,
  how: Pick<Chat, 'tokenizer' | 'rendering'>,
): RenderedAnswer {
  const continues = isAssistant(asked.at(-1)) && isAssistant(answer[0]);
  if (continues) return renderContinuation(asked, answer, prompt, how);
  const first = asked.length;
  const chat = { ...how, messages: [...asked, ...answer] };
  const whole = renderChat(how.tokenizer, chat.messages, how.rendering, 'whole');
  const border = endsWithCalls(asked)
    ? endOfCalls(whole, prompt, first)
    : answerStart(chat, whole, prompt, first);
  return { chat, whole, first, ...border };
}

/**
 * Where an answer that starts with the results of calls begins: where the turn that calls ends in
 * both, as some templates write more after a turn that is the last.
 */
function endOfCalls(whole: RenderedChat, prompt: RenderedChat, first: number): AnswerStart {
  if (whole.text.startsWith(prompt.text)) {
    return { start: prompt.text.length, promptLength: prompt.text.length };
  }
  let { a, b } = commonEnd(whole, prompt, first - 1);
  const results = startOf(whole.spans, first, 0);
  // The results are within that turn, before its text: the prompt ends where it differs.
  if (results !== null && results < a) ({ a, b } = commonEnd(whole, prompt, first - 2));
  const shared = sharedTags(whole.text, a, prompt.text, b);
  return { start: a + shared, promptLength: b + shared };
}

/**
 * An answer that continues the assistant message at the end of the prompt: both are one turn.
 */
function renderContinuation(
  asked: readonly Message[],
  [continuation, ...rest]: readonly Message[],
  prompt: RenderedChat,
  how: Pick<Chat, 'tokenizer' | 'rendering'>,
): RenderedAnswer {
  const begun = asked.at(-1)!;
  const content = `${textOf(begun)}${textOf(continuation!)}`;
  const joined = { ...withoutMarks(begun), ...continuation, content };
  const chat = { ...how, messages: [...asked.slice(0, -1), joined as Message, ...rest] };
  const whole = renderChat(how.tokenizer, chat.messages, how.rendering, 'whole');
  const first = asked.length - 1;
  const [inWhole, inPrompt] = [whole, prompt].map(({ spans }) =>
    startOf(
      spans.filter(({ field }) => field === 'content'),
      first,
      0,
    ),
  ) as [number | null, number | null];
  if (inPrompt === null) {
    // Blank text that the template trims: the prompt ends before the white space of the header.
    const { a, b } = commonEnd(whole, prompt, first - 1);
    const header = prompt.text.slice(b);
    if (whole.text.startsWith(header, a)) {
      const start = a + header.length;
      return { chat, whole, first, start, promptLength: prompt.text.length, begun };
    }
  }
  const text = inPrompt === null ? '' : prompt.text.slice(inPrompt);
  if (inWhole === null || !whole.text.startsWith(text, inWhole)) {
    throw new ChatTemplateError(
      'The prompt ends with the start of an answer, but the chat template renders that start differently once the answer continues it. ' +
        'Move it from the prompt into the answers.',
    );
  }
  const start = inWhole + text.length;
  return { chat, whole, first, start, promptLength: prompt.text.length, begun };
}
