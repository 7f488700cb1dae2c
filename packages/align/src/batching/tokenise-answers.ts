// From a prompt and answers to it to tokens, as every method that learns from given answers sees
// them.
import { ChatTemplateError, type RenderedChat, type Tokenizer } from '@keel/model';
import { type Content, isChat, type Message, textOf } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';
import { answerStart } from './answer-start.ts';
import { type Chat, renderChat, startOf } from './chat-rendering.ts';
import {
  everythingTrained,
  isLearned,
  piecesOf,
  scoredRanges,
  type TextPiece,
} from './chat-turns.ts';
import { isSilent, lostFields } from './lost-text.ts';
import { promptText } from './prompt-text.ts';
import { type ScoredSequence, tokenisePieces } from './tokenise-pieces.ts';

/** A prompt's tokens, and those of answers to it. */
export interface TokenisedAnswers {
  prompt: number[];
  /** Scored are all tokens but those of turns that are not the assistant's. */
  answers: ScoredSequence[];
  /** Fields of the answers of which the chat template leaves text out. */
  lost: string[];
}

export interface AnswerRules {
  /** Chats: the assistant's turns that are scored, or everything after the prompt. */
  scored: 'all' | 'last' | 'everything';
}

/**
 * Tokens of answers as they are after their prompt, which has the tokens that it has when the model
 * is asked. Chats are rendered by the model's template; plain answers end with the end-of-sequence
 * token.
 * @throws ChatTemplateError when the template refuses the row
 * @throws Error when the row is a chat and the model has no chat template
 */
export function tokeniseAnswers(
  prompt: Content,
  answers: readonly Content[],
  tokenizer: Tokenizer,
  rendering: Rendering | undefined,
  { scored }: AnswerRules = { scored: 'all' },
): TokenisedAnswers {
  const rendered = isChat(prompt)
    ? renderAnswers(prompt, answers as Message[][], { tokenizer, rendering }, scored)
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

/** A prompt's text, and those of answers behind it. */
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
  /** Text of message `first` that the prompt has. */
  begun: string;
}

function renderAnswers(
  asked: readonly Message[],
  answers: readonly (readonly Message[])[],
  how: Pick<Chat, 'tokenizer' | 'rendering'>,
  scored: AnswerRules['scored'],
): AnswerTexts {
  const prompt = promptText(asked, how);
  const found = answers.map((answer) => renderAnswer(asked, answer, prompt, how));
  // A pair's answers share one prompt: what only some of them have of it belongs to those answers.
  const shortest = Math.min(prompt.text.length, ...found.map(({ promptLength }) => promptLength));
  return {
    prompt: prompt.text.slice(0, shortest),
    answers: found.map(({ chat, whole, first, start: after, promptLength, begun }) => {
      const start = after - (promptLength - shortest);
      const ranges =
        scored === 'everything'
          ? everythingTrained(chat, whole, start)
          : scoredRanges(chat, whole, { first, turns: scored }, start);
      return {
        pieces: piecesOf(whole.text, ranges, start),
        lost: lostFields(chat.messages, whole, first),
        silent: isSilentAnswer(chat, whole, { first, begun, start }, scored),
      };
    }),
  };
}

function isSilentAnswer(
  chat: Chat,
  whole: RenderedChat,
  { first, begun, start }: Pick<RenderedAnswer, 'first' | 'begun' | 'start'>,
  scored: AnswerRules['scored'],
): boolean {
  if (scored === 'everything') return false;
  const last = chat.messages.findLastIndex(isLearned);
  if (scored === 'last' && last > first) return isSilent(chat, whole, last);
  return isSilent(chat, whole, first, { text: begun, end: begun === '' ? 0 : start });
}

function renderAnswer(
  asked: readonly Message[],
  answer: readonly Message[],
  prompt: RenderedChat,
  how: Pick<Chat, 'tokenizer' | 'rendering'>,
): RenderedAnswer {
  const continues = asked.at(-1)!.role === 'assistant' && answer[0]!.role === 'assistant';
  if (continues) return renderContinuation(asked, answer, prompt, how);
  const first = asked.length;
  const chat = { ...how, messages: [...asked, ...answer] };
  const whole = renderChat(how.tokenizer, chat.messages, how.rendering, 'whole');
  return { chat, whole, first, begun: '', ...answerStart(chat, whole, prompt, first) };
}

/**
 * An answer that goes on with the assistant's message at the end of the prompt: both are one turn.
 */
function renderContinuation(
  asked: readonly Message[],
  [continuation, ...rest]: readonly Message[],
  prompt: RenderedChat,
  how: Pick<Chat, 'tokenizer' | 'rendering'>,
): RenderedAnswer {
  const begun = asked.at(-1)!;
  const joined = { ...begun, ...continuation, content: `${textOf(begun)}${textOf(continuation!)}` };
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
  const text = inPrompt === null ? '' : prompt.text.slice(inPrompt);
  if (inWhole === null || !whole.text.startsWith(text, inWhole)) {
    throw new ChatTemplateError(
      'The prompt ends with the beginning of an answer, but the chat template writes that beginning otherwise once the answer goes on. ' +
        'Move it from the prompt into the answers.',
    );
  }
  const start = inWhole + text.length;
  return { chat, whole, first, start, promptLength: prompt.text.length, begun: textOf(begun) };
}
