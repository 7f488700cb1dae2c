// Renders a chat as a prompt: the same text for sampling and for training.
import { ChatTemplateError, type RenderedChat } from '@keel/model';
import type { Message } from '../data/messages.ts';
import { openedText } from './answer-start.ts';
import { type Chat, renderChat } from './chat-rendering.ts';
import { hasItems, lostHistory, lostMessages } from './lost-text.ts';

/**
 * Messages up to where the model speaks: after the header of an answer, or within a final assistant
 * message, which the model then continues.
 * @throws ChatTemplateError if the template rejects the messages, or they end with tool calls
 * @throws Error if the model has no chat template
 */
export function promptText(
  messages: readonly Message[],
  { tokenizer, rendering }: Pick<Chat, 'tokenizer' | 'rendering'>,
): RenderedChat {
  if (endsWithCalls(messages)) {
    throw new ChatTemplateError(
      'The prompt ends with tool calls that have no results, so the model cannot continue it. ' +
        'Add the results as "tool" messages, or remove "tool_calls" from the last message.',
    );
  }
  return renderChat(tokenizer, messages, rendering, 'prompt');
}

/** Whether the last turn is complete because it calls tools: their results follow. */
export function endsWithCalls(messages: readonly Message[]): boolean {
  const last = messages.at(-1);
  return last?.role === 'assistant' && hasItems(last.tool_calls);
}

/**
 * {@link promptText}, what its end opens in the answer's place, such as `<think>\n`, and the
 * text and messages that the template drops.
 */
export function openedPrompt(chat: Chat): { text: string; opened: string; lost: string[] } {
  const prompt = promptText(chat.messages, chat);
  const continues = chat.messages.at(-1)?.role === 'assistant';
  return {
    text: prompt.text,
    opened: continues ? '' : openedText(chat, prompt),
    lost: [
      ...lostHistory(chat.messages, prompt, chat.messages.length),
      ...lostMessages(chat.messages, prompt),
    ],
  };
}
