// Tokenises a row of supervised fine-tuning and marks the tokens that the loss covers.
import { ChatTemplateError, type Tokenizer } from '@keel/model';
import { isChat } from '../data/messages.ts';
import type { CompletionRow, MessagesRow, SupervisedRow } from '../data/rows.ts';
import type { NamedTokenise } from '../tokenising/tokenise-rows.ts';
import { type Chat, renderChat, sharedLength } from './chat-rendering.ts';
import { everythingTrained, isLearned, piecesOf, scoredRanges } from './chat-turns.ts';
import { isSilent, lostFields, lostHistory, lostMessages, lostPrompt } from './lost-text.ts';
import { promptText } from './prompt-text.ts';
import type { ScoringRules } from './scoring-rules.ts';
import { tokeniseAnswers } from './tokenise-answers.ts';
import { type ScoredSequence, tokenisePieces } from './tokenise-pieces.ts';

export interface TokenisedExample extends ScoredSequence {
  /** Whether its end was cut off at the maximum length. */
  truncated: boolean;
  /**
   * Fields of the assistant's turns of which the chat template drops text, and messages of others,
   * such as "system message"; absent if there are none.
   */
  lost?: string[];
}

export interface ExampleOptions extends ScoringRules {
  /** Maximum tokens of a row; null: no limit. */
  maxLength: number | null;
}

/**
 * Tokenises a row: chats with the model's template, plain text followed by the end-of-sequence
 * token. No token crosses a border between scored and unscored text.
 * @returns null if nothing that is scored is left within the maximum length
 * @throws ChatTemplateError if the template rejects the row
 * @throws Error if the row is a chat and the model has no chat template
 */
export function tokeniseExample(
  row: SupervisedRow,
  tokenizer: Tokenizer,
  { maxLength, ...rules }: ExampleOptions,
): TokenisedExample | null {
  const { lost, ...whole } = tokeniseWhole(row, tokenizer, rules);
  const dropped = lost.length > 0 ? { lost } : {};
  if (maxLength === null || whole.tokens.length <= maxLength) {
    return { ...whole, truncated: false, ...dropped };
  }
  const cut = {
    ...whole,
    tokens: whole.tokens.slice(0, maxLength),
    scored: whole.scored.slice(0, maxLength),
  };
  if (scoredCount(whole) > 0 && scoredCount(cut) === 0) return null;
  return { ...cut, truncated: true, ...dropped };
}

/** {@link tokeniseExample}, under a name by which a thread loads it. */
export const exampleTokenising: NamedTokenise<SupervisedRow, TokenisedExample, ExampleOptions> = {
  run: tokeniseExample,
  module: import.meta.url,
  name: 'tokeniseExample',
};

/** Number of tokens that can be scored: nothing predicts the first one of a row. */
export function scoredCount({ scored }: ScoredSequence): number {
  return scored.reduce((count, one, at) => (one && at > 0 ? count + 1 : count), 0);
}

type WholeExample = ScoredSequence & { lost: string[] };

function tokeniseWhole(
  row: SupervisedRow,
  tokenizer: Tokenizer,
  rules: ScoringRules,
): WholeExample {
  if ('text' in row) return tokenisePlain([{ text: row.text, scored: true }], tokenizer);
  if ('messages' in row) return tokeniseChat(row, tokenizer, rules);
  const { prompt, completion } = row;
  if (!isChat(prompt)) {
    const pieces = [
      { text: prompt, scored: !rules.completionOnlyLoss },
      { text: completion as string, scored: true },
    ];
    return tokenisePlain(pieces, tokenizer);
  }
  if (rules.completionOnlyLoss) return tokeniseCompletion(row, tokenizer, rules);
  const messages = [...prompt, ...(isChat(completion) ? completion : [])];
  return tokeniseChat({ ...row, messages }, tokenizer, rules);
}

function tokenisePlain(
  pieces: readonly { text: string; scored: boolean }[],
  tokenizer: Tokenizer,
): WholeExample {
  const { tokens, scored } = tokenisePieces(pieces, tokenizer, { begin: true, end: true });
  return { tokens, scored, lost: [] };
}

function tokeniseChat(
  { messages, rendering }: Pick<MessagesRow, 'messages' | 'rendering'>,
  tokenizer: Tokenizer,
  { assistantOnlyLoss, assistantTurns: turns }: ScoringRules,
): WholeExample {
  const whole = renderChat(tokenizer, messages, rendering, 'whole');
  const chat = { tokenizer, messages, rendering };
  const ranges = assistantOnlyLoss
    ? scoredRanges(chat, whole, { first: 0, turns, marked: true })
    : everythingTrained(chat, whole);
  const pieces = piecesOf(whole.text, ranges);
  const { tokens, scored } = tokenisePieces(pieces, tokenizer);
  const first = turns === 'last' ? Math.max(0, messages.findLastIndex(isLearned)) : 0;
  const silent = assistantOnlyLoss && isSilent(chat, whole, first);
  return {
    tokens,
    scored,
    lost: [
      ...lostFields(chat, whole, 0),
      ...(assistantOnlyLoss ? lostLastPrompt(chat, whole.text) : []),
      ...lostHistory(messages, whole, 0),
      ...lostMessages(messages, whole),
    ],
    ...(silent && { silent }),
  };
}

/** {@link lostPrompt} of the answer at the end of a conversation. */
function lostLastPrompt({ tokenizer, messages, rendering }: Chat, whole: string): string[] {
  const last = messages.at(-1);
  // Without a closed block, there is nothing to lose, and no need to render again.
  if (last === undefined || !isLearned(last) || !/<\/[\w|]+>/.test(whole)) return [];
  try {
    const { text } = promptText(messages.slice(0, -1), { tokenizer, rendering });
    return lostPrompt(text, sharedLength(text, 0, whole, 0));
  } catch (error) {
    // A template that refuses the conversation without its end.
    if (error instanceof ChatTemplateError) return [];
    throw error;
  }
}

function tokeniseCompletion(
  { prompt: asked, completion, rendering }: CompletionRow,
  tokenizer: Tokenizer,
  { assistantOnlyLoss, assistantTurns }: ScoringRules,
): WholeExample {
  const scored = assistantOnlyLoss ? assistantTurns : 'everything';
  const found = tokeniseAnswers(asked, [completion], tokenizer, rendering, {
    ...{ scored, marked: true },
  });
  const [answer] = found.answers as [ScoredSequence];
  return {
    tokens: [...found.prompt, ...answer.tokens],
    scored: [...found.prompt.map(() => false), ...answer.scored],
    lost: found.lost,
    ...(answer.silent && { silent: true }),
  };
}
