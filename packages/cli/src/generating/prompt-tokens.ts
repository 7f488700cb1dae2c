import { type PromptForm, promptTokens as tokensOf } from '@keel/align/internal';
import type { Tokenizer } from '@keel/model';
import type { AskedPrompt } from './read-prompts.ts';

/** Token ids of a prompt with its row's settings. @throws Error as the library's `promptTokens` */
export const promptTokens = (
  { prompt, rendering }: AskedPrompt,
  tokenizer: Tokenizer,
  form: Pick<PromptForm, 'system' | 'raw'>,
): number[] => tokensOf(prompt, tokenizer, { ...form, rendering });
