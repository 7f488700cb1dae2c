// From a row with a prompt to its tokens, up to where an answer begins.
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
  /** What the chat template is given beside the messages, for those who render the prompt again. */
  rendering?: Rendering;
  /**
   * What the end of a chat's prompt opens in the answer's place, such as `<think>\n`; mostly ''.
   */
  opened: string;
  /** Messages that the chat template leaves out, such as "tool message"; absent where none are. */
  lost?: string[];
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
 * @throws ChatTemplateError when the template refuses the messages
 * @throws Error when the row is a chat and the model has no chat template
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

/** {@link tokenisePrompt} as a thread finds it. */
export const promptTokenising: NamedTokenise<PromptRow, TokenisedPrompt, PromptOptions> = {
  run: tokenisePrompt,
  module: import.meta.url,
  name: 'tokenisePrompt',
};
