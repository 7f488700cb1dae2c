import { isChat } from '@keel/align/data';
import { promptText } from '@keel/align/internal';
import type { Tokenizer } from '@keel/model';
import type { AskedPrompt } from './read-prompts.ts';

export interface PromptForm {
  /** System message before the prompt. */
  system: string | null;
  /** Continue the prompt as it is, without the chat template. */
  raw: boolean;
}

/**
 * Token ids of a prompt, rendered with the model's chat template as in training. Text on the
 * command line is a user's message if the model has a template. Text in a row is plain, as in every
 * verb that reads rows.
 * @throws Error for a chat or a system message if the model has no template or `raw` is set, and
 *   for a system message before a row of plain text
 */
export function promptTokens(
  { prompt, rendering, place }: AskedPrompt,
  tokenizer: Tokenizer,
  { system, raw }: PromptForm,
): number[] {
  if (raw || tokenizer.chatTemplate === null) {
    if (isChat(prompt)) {
      throw new Error(
        raw
          ? 'The prompt is a chat, which --raw cannot render. Remove --raw'
          : 'The prompt is a chat, but the model has no chat template. Give plain text, or pass --chat-template',
      );
    }
    if (system !== null) {
      throw new Error(
        '--system: the model has no chat template to render it. Pass --chat-template, or drop --system',
      );
    }
    return tokenizer.encode(prompt, { addSpecialTokens: true });
  }
  if (!isChat(prompt) && place !== undefined) {
    if (system === null) return tokenizer.encode(prompt, { addSpecialTokens: true });
    throw new Error(
      '--system: the prompt is plain text, which no chat template renders. Write it as messages, [{"role": "user", "content": …}], or remove --system',
    );
  }
  const messages = isChat(prompt) ? prompt : [{ role: 'user', content: prompt }];
  const all = system === null ? messages : [{ role: 'system', content: system }, ...messages];
  // The template writes the special tokens itself.
  return tokenizer.encode(promptText(all, { tokenizer, rendering }).text);
}
