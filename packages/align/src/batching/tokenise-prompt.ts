// Tokenises the prompt of a row, up to where an answer starts.
import type { Tokenizer } from '@keel/model';
import { type Content, isChat } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';
import type { PromptRow } from '../data/rows.ts';
import type { NamedTokenise } from '../tokenising/tokenise-rows.ts';
import { openedPrompt } from './prompt-text.ts';

export interface TokenisedPrompt {
  tokens: number[];
  /** The row, for the reward. */
  prompt: Content;
  extra: Record<string, unknown>;
  /** The other inputs of the chat template, for code that renders the prompt again. */
  rendering?: Rendering;
  /**
   * What the end of a chat's prompt opens in the answer's place, such as `<think>\n`; usually ''.
   */
  opened: string;
  /** Messages that the chat template drops, such as "tool message"; absent if there are none. */
  lost?: string[];
  /** Always false: an answer to a cut prompt would answer a different question. */
  truncated: false;
}

export interface PromptOptions {
  /** Maximum tokens of a prompt; null: no limit. */
  maxPromptLength: number | null;
}

/**
 * Tokenises a prompt: a chat with the model's template, plain text as it is.
 * @returns null if the prompt leaves no room for an answer
 * @throws ChatTemplateError if the template rejects the messages
 * @throws Error if the row is a chat and the model has no chat template
 */
export function tokenisePrompt(
  { prompt, extra, rendering }: PromptRow,
  tokenizer: Tokenizer,
  { maxPromptLength }: PromptOptions,
): TokenisedPrompt | null {
  const { text, opened, lost } = isChat(prompt)
    ? openedPrompt({ tokenizer, messages: prompt, rendering })
    : { text: prompt, opened: '', lost: [] };
  const tokens = tokenizer.encode(text, { addSpecialTokens: !isChat(prompt) });
  if (maxPromptLength !== null && tokens.length > maxPromptLength) return null;
  return {
    ...{ tokens, prompt, extra, opened, truncated: false },
    ...(rendering && { rendering }),
    ...(lost.length > 0 && { lost }),
  };
}

/** {@link tokenisePrompt}, under a name by which a thread loads it. */
export const promptTokenising: NamedTokenise<PromptRow, TokenisedPrompt, PromptOptions> = {
  run: tokenisePrompt,
  module: import.meta.url,
  name: 'tokenisePrompt',
};
