// Turns a prompt into the tokens that a model continues, as in training.
import type { LanguageModel, Tokenizer } from '@keel/model';
import { answerOpening } from '../batching/answer-start.ts';
import { openedPrompt, promptText } from '../batching/prompt-text.ts';
import { shorten } from '../data/data-error.ts';
import { type Content, isChat, type Message, textOf } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';

export interface PromptForm {
  /** System message before the prompt (default: none). */
  system?: string | null;
  /** Continue the prompt as it is, without the chat template (default: false). */
  raw?: boolean;
  /** The other inputs of the chat template. */
  rendering?: Rendering | undefined;
}

/**
 * Token ids of a prompt, rendered with the model's chat template. Plain text is a user's message;
 * without a template it is used as it is.
 * @throws Error for a chat or a system message if the model has no template or `raw` is set, and
 *   for a chat with another system message
 */
export function promptTokens(
  prompt: Content,
  tokenizer: Tokenizer,
  { system = null, raw = false, rendering }: PromptForm = {},
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
  const all = withSystem(isChat(prompt) ? prompt : [{ role: 'user', content: prompt }], system);
  // The template writes the special tokens itself.
  return tokenizer.encode(promptText(all, { tokenizer, rendering }).text);
}

/**
 * Messages after a system message.
 * @param system null: the messages alone
 * @throws Error if they have another system message, of which the model would see both
 */
export function withSystem(messages: readonly Message[], system: string | null): Message[] {
  const own = messages.find(({ role }) => role === 'system' || role === 'developer');
  if (system === null || (own !== undefined && textOf(own) === system)) return [...messages];
  if (own === undefined) return [{ role: 'system', content: system }, ...messages];
  throw new Error(
    `--system: the prompt already has a ${own.role} message ("${shorten(textOf(own))}"). ` +
      'Remove --system, or that message; keel data map --system adds one only to chats without one',
  );
}

/** A chat up to the model's next turn. */
export interface TurnPrompt {
  tokens: number[];
  /** What the generation prompt opened of the turn, such as `<think>\n`; usually empty. */
  opened: string;
}

/** @throws Error if the model has no chat template; ChatTemplateError if it rejects the messages */
export function turnPrompt(
  { tokenizer }: Pick<LanguageModel, 'tokenizer'>,
  messages: readonly Message[],
): TurnPrompt {
  const { opened } = openedPrompt({ tokenizer, messages, rendering: undefined });
  return { tokens: promptTokens([...messages], tokenizer), opened: answerOpening(opened) };
}
