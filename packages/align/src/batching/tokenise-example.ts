// From a row of supervised fine-tuning to one sequence of tokens, and which of them the loss is of.
import { ChatTemplateError, renderPromptAndCompletion, type Tokenizer } from '@keel/model';
import { isChat, type Message } from '../data/messages.ts';
import type { CompletionRow, SupervisedRow } from '../data/rows.ts';
import type { NamedTokenise } from '../tokenising/tokenise-rows.ts';
import { chatTemplateOf, type TextPiece, textAfter, turnPieces } from './chat-turns.ts';
import type { ScoringRules } from './scoring-rules.ts';
import { type ScoredSequence, tokenisePieces } from './tokenise-pieces.ts';

export interface TokenisedExample extends ScoredSequence {
  /** Whether its end was cut at the maximum length. */
  truncated: boolean;
}

export interface ExampleOptions extends ScoringRules {
  /** Tokens of a row; null: no limit. */
  maxLength: number | null;
}

/**
 * Turns a row into tokens: chats by the model's template, plain text with the end-of-sequence token after it. Scored and
 * unscored text are tokenised apart, so that their border is exact.
 * @returns null when nothing that is scored is left within the maximum length
 * @throws ChatTemplateError when the template loses the borders of turns, or the row's "tools" are no list
 * @throws Error when the row is a chat and the model has no chat template
 */
export function tokeniseExample(
  row: SupervisedRow,
  tokenizer: Tokenizer,
  { maxLength, ...rules }: ExampleOptions,
): TokenisedExample | null {
  const plain = 'text' in row || ('completion' in row && !isChat(row.completion));
  const marks = { begin: plain, end: plain };
  const whole = tokenisePieces(scoredPieces(row, tokenizer, rules), tokenizer, marks);
  if (maxLength === null || whole.tokens.length <= maxLength) return { ...whole, truncated: false };
  const cut = {
    tokens: whole.tokens.slice(0, maxLength),
    scored: whole.scored.slice(0, maxLength),
  };
  if (scoredCount(whole) > 0 && scoredCount(cut) === 0) return null;
  return { ...cut, truncated: true };
}

/** {@link tokeniseExample} as a thread finds it. */
export const exampleTokenising: NamedTokenise<SupervisedRow, TokenisedExample, ExampleOptions> = {
  run: tokeniseExample,
  module: import.meta.url,
  name: 'tokeniseExample',
};

/** Tokens that can be scored: nothing predicts the first one of a row. */
export function scoredCount({ scored }: ScoredSequence): number {
  return scored.reduce((count, one, at) => (one && at > 0 ? count + 1 : count), 0);
}

function scoredPieces(row: SupervisedRow, tokenizer: Tokenizer, rules: ScoringRules): TextPiece[] {
  if ('text' in row) return [{ text: row.text, scored: true }];
  if ('messages' in row) return chatPieces(row.messages, toolsOf(row), tokenizer, rules);
  const { prompt, completion } = row;
  if (isChat(prompt) && isChat(completion)) {
    return rules.completionOnlyLoss
      ? completionPieces(row, prompt, completion, tokenizer, rules)
      : chatPieces([...prompt, ...completion], toolsOf(row), tokenizer, rules);
  }
  return [
    { text: prompt as string, scored: !rules.completionOnlyLoss },
    { text: completion as string, scored: true },
  ];
}

function chatPieces(
  messages: readonly Message[],
  tools: unknown[] | null,
  tokenizer: Tokenizer,
  { assistantOnlyLoss, assistantTurns: turns }: ScoringRules,
): TextPiece[] {
  const template = chatTemplateOf(tokenizer);
  return assistantOnlyLoss
    ? turnPieces(template, messages, { first: 0, prompt: '', turns, tools })
    : [{ text: template.render(messages, { tools }), scored: true }];
}

function completionPieces(
  row: CompletionRow,
  asked: readonly Message[],
  answer: readonly Message[],
  tokenizer: Tokenizer,
  { assistantOnlyLoss, assistantTurns: turns }: ScoringRules,
): TextPiece[] {
  const template = chatTemplateOf(tokenizer);
  const tools = toolsOf(row);
  const messages = [...asked, ...answer];
  const [first] = answer;
  const { prompt } = renderPromptAndCompletion(template, asked, [first!], { tools });
  const rest = assistantOnlyLoss
    ? turnPieces(template, messages, { first: asked.length, prompt, turns, tools })
    : [{ text: textAfter(prompt, template.render(messages, { tools })), scored: true }];
  return [{ text: prompt, scored: false }, ...rest];
}

/** The row's field "tools": a list, or one written as JSON, as TRL takes it. */
function toolsOf({ extra: { tools } }: SupervisedRow): unknown[] | null {
  if (tools === undefined || tools === null || tools === '') return null;
  const list = typeof tools === 'string' ? parsed(tools) : tools;
  if (Array.isArray(list)) return list.length === 0 ? null : list;
  throw new ChatTemplateError('the field "tools" is no list of tools, nor one written as JSON');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
