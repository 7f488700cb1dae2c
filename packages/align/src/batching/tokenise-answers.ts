// Tokenises a prompt and answers to it, in the same way for every method that trains on given
// answers.
import { ChatTemplateError, type RenderedChat, type Tokenizer } from '@keel/model';
import { type Content, isChat, type Message, textOf } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';
import { answerStart } from './answer-start.ts';
import { type Chat, commonEnd, renderChat, startOf } from './chat-rendering.ts';
import { everythingTrained, piecesOf, scoredRanges, type TextPiece } from './chat-turns.ts';
import { lostFields, lostMessages } from './lost-text.ts';
import { promptText } from './prompt-text.ts';
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
  { scored }: AnswerRules = { scored: 'all' },
): TokenisedAnswers {
  const rendered = isChat(prompt)
    ? renderAnswers(prompt, answers as Message[][], { tokenizer, rendering }, scored)
    : plainAnswers(prompt, answers as string[]);
  const ends = !isChat(prompt);
  const text = { text: rendered.prompt, scored: false };
  let asked: number[] | undefined;
  const found = rendered.answers.map(({ pieces }) => {
    const whole = tokenisePieces([text, ...pieces], tokenizer, { begin: ends, end: ends });
    asked ??= whole.tokens.slice(0, whole.lengths[0]);
    const from = whole.lengths[0]!;
    return { tokens: whole.tokens.slice(from), scored: whole.scored.slice(from) };
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
  answers: { pieces: TextPiece[]; lost: string[] }[];
}

const plainAnswers = (prompt: string, answers: readonly string[]): AnswerTexts => ({
  prompt,
  answers: answers.map((text) => ({ pieces: [{ text, scored: true }], lost: [] })),
});

interface RenderedAnswer {
  chat: Chat;
  whole: RenderedChat;
  /** Index of the answer's first message in the whole. */
  first: number;
  start: number;
  promptLength: number;
}

function renderAnswers(
  asked: readonly Message[],
  answers: readonly (readonly Message[])[],
  how: Pick<Chat, 'tokenizer' | 'rendering'>,
  scored: AnswerRules['scored'],
): AnswerTexts {
  const prompt = promptText(asked, how);
  const found = answers.map((answer) => renderAnswer(asked, answer, prompt, how));
  // A pair's answers share one prompt: what only some of them share belongs to the answers.
  const shortest = Math.min(prompt.text.length, ...found.map(({ promptLength }) => promptLength));
  return {
    prompt: prompt.text.slice(0, shortest),
    answers: found.map(({ chat, whole, first, start: after, promptLength }) => {
      const start = after - (promptLength - shortest);
      const ranges =
        scored === 'everything'
          ? everythingTrained(chat, whole, start)
          : scoredRanges(chat, whole, { first, turns: scored }, start);
      return {
        pieces: piecesOf(whole.text, ranges, start),
        lost: [
          ...lostFields(chat.messages, whole, first),
          ...lostMessages(chat.messages, prompt, { to: first }),
          ...lostMessages(chat.messages, whole, { from: first }),
        ],
      };
    }),
  };
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
  return { chat, whole, first, ...answerStart(chat, whole, prompt, first) };
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
  const start = asked.at(-1)!;
  const joined = { ...start, ...continuation, content: `${textOf(start)}${textOf(continuation!)}` };
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
      return { chat, whole, first, start: a + header.length, promptLength: prompt.text.length };
    }
  }
  const text = inPrompt === null ? '' : prompt.text.slice(inPrompt);
  if (inWhole === null || !whole.text.startsWith(text, inWhole)) {
    throw new ChatTemplateError(
      'The prompt ends with the start of an answer, but the chat template renders that start differently once the answer continues it. ' +
        'Move it from the prompt into the answers.',
    );
  }
  return { chat, whole, first, start: inWhole + text.length, promptLength: prompt.text.length };
}
