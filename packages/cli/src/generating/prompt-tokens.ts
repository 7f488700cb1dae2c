import { isChat } from '@keel/align/data';
import { promptTokens as tokensOf } from '@keel/align/internal';
import type { Tokenizer } from '@keel/model';
import type { AskedPrompt } from './read-prompts.ts';

export interface AskedForm {
  /** System message before the prompt. */
  system: string | null;
  /** Continue the prompt as it is, without the chat template. */
  raw: boolean;
}

/**
 * Token ids of a prompt with its row's settings. Text on the command line is a user's message if
 * the model has a template. Text in a row is plain, as in every verb that reads rows.
 * @throws Error as the library's `promptTokens`, and for a system message before a row of plain
 *   text
 */
export function promptTokens(
  { prompt, rendering, place }: AskedPrompt,
  tokenizer: Tokenizer,
  { system, raw }: AskedForm,
): number[] {
  if (isChat(prompt) || place === undefined) {
    return tokensOf(prompt, tokenizer, { system, raw, rendering });
  }
  if (system !== null) {
    throw new Error(
      '--system: the prompt is plain text, which no chat template renders. Pass --wrap-chat, or remove --system',
    );
  }
  return tokensOf(prompt, tokenizer, { raw: true });
}
