// From a row with a prompt to its tokens, up to where an answer begins.
import type { Tokenizer } from '@keel/model';
import { type Content, isChat } from '../data/messages.ts';
import type { PromptRow } from '../data/rows.ts';
import type { NamedTokenise } from '../tokenising/tokenise-rows.ts';
import { chatTemplateOf } from './chat-turns.ts';

export interface TokenisedPrompt {
  tokens: number[];
  /** The row, for the reward. */
  prompt: Content;
  extra: Record<string, unknown>;
  /** Never: an answer to a cut prompt is to another question. */
  truncated: false;
}

export interface PromptOptions {
  /** Most tokens of a prompt; null: no limit. */
  maxPromptLength: number | null;
}

/**
 * A chat by the model's template, plain text as it stands.
 * @returns null when the prompt leaves no room for an answer
 * @throws Error when the row is a chat and the model has no chat template
 */
export function tokenisePrompt(
  { prompt, extra }: PromptRow,
  tokenizer: Tokenizer,
  { maxPromptLength }: PromptOptions,
): TokenisedPrompt | null {
  const tokens = isChat(prompt)
    ? tokenizer.encode(chatTemplateOf(tokenizer).render(prompt, { addGenerationPrompt: true }))
    : tokenizer.encode(prompt, { addSpecialTokens: true });
  if (maxPromptLength !== null && tokens.length > maxPromptLength) return null;
  return { tokens, prompt, extra, truncated: false };
}

/** {@link tokenisePrompt} as a thread finds it. */
export const promptTokenising: NamedTokenise<PromptRow, TokenisedPrompt, PromptOptions> = {
  run: tokenisePrompt,
  module: import.meta.url,
  name: 'tokenisePrompt',
};
