// Renders the beginnings of a conversation. Some templates reject them though they accept the
// whole: they require a user's message, which may follow an assistant's greeting.
import { ChatTemplateError, type RenderedChat } from '@keel/model';
import type { Message } from '../data/messages.ts';
import { type Chat, type ChatEnd, renderChat, sharedTags } from './chat-rendering.ts';

const probe: Message = { role: 'user', content: 'x' };

/**
 * The conversation up to message `last`, or with a question before that message if the template
 * requires one, as the same messages; null if the template rejects that too.
 */
export function renderUpTo(chat: Chat, last: number): RenderedChat | null {
  const messages = chat.messages.slice(0, last + 1);
  const found = rendered(chat, messages, 'whole');
  if (found !== null) return found;
  const asked = rendered(chat, [...messages.slice(0, last), probe, messages[last]!], 'whole');
  if (asked === null) return null;
  const spans = asked.spans
    .filter(({ message }) => message !== last)
    .map((span) => (span.message > last ? { ...span, message: last } : span));
  return { ...asked, spans };
}

/** The messages before `at` with the header of an answer; null if the template rejects them. */
export const renderHeader = (chat: Chat, at: number): RenderedChat | null =>
  rendered(chat, chat.messages.slice(0, at), 'header');

/**
 * The header of an answer as the template writes it after a question; '' if the template rejects
 * one before message `at`.
 */
export function headerAfterQuestion(chat: Chat, at: number): string {
  const messages = [...chat.messages.slice(0, at), probe];
  const prompt = rendered(chat, messages, 'header');
  const unasked = rendered(chat, messages, 'whole');
  if (prompt === null || unasked === null) return '';
  return prompt.text.slice(sharedTags(prompt.text, 0, unasked.text, 0));
}

function rendered(
  { tokenizer, rendering }: Chat,
  messages: readonly Message[],
  end: ChatEnd,
): RenderedChat | null {
  try {
    return renderChat(tokenizer, messages, rendering, end);
  } catch (error) {
    if (error instanceof ChatTemplateError) return null;
    throw error;
  }
}
