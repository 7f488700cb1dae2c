import { isChat } from '@keel/align';
import type { Tokenizer } from '@keel/model';
import type { AskedPrompt } from './read-prompts.ts';

export interface PromptForm {
  /** System message before the prompt. */
  system: string | null;
  /** The prompt is continued as it stands. */
  raw: boolean;
}

/**
 * Token ids of a prompt: rendered by the model's chat template where it has one, else as it stands.
 * @throws Error where a chat or a system message meets a model without a template, or --raw
 */
export function promptTokens(
  { prompt, rendering }: AskedPrompt,
  tokenizer: Tokenizer,
  { system, raw }: PromptForm,
): number[] {
  const template = raw ? null : tokenizer.chatTemplate;
  if (template === null) {
    if (isChat(prompt)) {
      throw new Error(
        raw
          ? 'the prompt is a chat, which --raw cannot render: leave --raw out'
          : 'the prompt is a chat, but the model has no chat template: give plain text',
      );
    }
    if (system !== null) {
      throw new Error('--system: the model has no chat template, so it takes no system message');
    }
    return tokenizer.encode(prompt, { addSpecialTokens: true });
  }
  const messages = isChat(prompt) ? prompt : [{ role: 'user', content: prompt }];
  const all = system === null ? messages : [{ role: 'system', content: system }, ...messages];
  // The template writes the special tokens itself.
  const { tools = null, variables = {} } = rendering ?? {};
  const text = template.render(all, { addGenerationPrompt: true, tools, extra: variables });
  return tokenizer.encode(text);
}
