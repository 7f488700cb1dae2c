// From a row with a prompt to its tokens, up to where an answer begins.
import type { Tokenizer } from '@keel/model';
import { type Content, isChat } from '../data/messages.ts';
import type { PromptRow } from '../data/rows.ts';
import type { NamedTokenise } from '../tokenising/tokenise-rows.ts';
import { chatTemplateOf } from './chat-turns.ts';
import { renderPrompt } from './opened-text.ts';

export interface TokenisedPrompt {
  tokens: number[];
  /** The row, for the reward. */
  prompt: Content;
  extra: Record<string, unknown>;
  /** What the generation prompt writes after the assistant's header, such as `<think>\n`: answers continue it. */
  opened: string;
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
  const chat = isChat(prompt) ? renderPrompt(prompt, chatTemplateOf(tokenizer)) : null;
  const tokens =
    chat === null
      ? tokenizer.encode(prompt as string, { addSpecialTokens: true })
      : tokenizer.encode(chat.text);
  if (maxPromptLength !== null && tokens.length > maxPromptLength) return null;
  return { tokens, prompt, extra, opened: chat?.opened ?? '', truncated: false };
}

/** {@link tokenisePrompt} as a thread finds it. */
export const promptTokenising: NamedTokenise<PromptRow, TokenisedPrompt, PromptOptions> = {
  run: tokenisePrompt,
  module: import.meta.url,
  name: 'tokenisePrompt',
};
