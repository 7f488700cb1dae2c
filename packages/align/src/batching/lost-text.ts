// Text of the assistant that a chat template does not write, so that nobody learns it without
// knowing.
import { ChatTemplateError, type RenderedChat } from '@keel/model';
import type { Message } from '../data/messages.ts';
import { type Chat, renderChat } from './chat-rendering.ts';
import { isLearned } from './chat-turns.ts';

/** Fields of a message that hold what the model said. */
const spokenFields = [
  'content',
  'reasoning_content',
  'reasoning',
  'thinking',
  'tool_plan',
  'tool_calls',
];

/**
 * The fields of the assistant's turns, from message `first` on, of which the template leaves text
 * out. White space and tags do not count: templates trim, and write tags such as `<think>`
 * themselves.
 */
export function lostFields(
  messages: readonly Message[],
  { text, spans }: Pick<RenderedChat, 'text' | 'spans'>,
  first: number,
): string[] {
  const lost = new Set<string>();
  messages.forEach((message, at) => {
    if (at < first || !isLearned(message)) return;
    for (const field of spokenFields) {
      const value = message[field];
      const own = spans.filter((span) => span.message === at && span.field === field);
      const written = own.map(({ start, end }) => text.slice(start, end)).join('');
      const isLost =
        typeof value === 'string'
          ? wordLength(written) < wordLength(value)
          : hasItems(value) && written === '';
      if (isLost) lost.add(field);
    }
  });
  return [...lost];
}

/**
 * Whether the template writes nothing of the assistant's turns from message `first` on, as where it
 * trims white space or drops reasoning: the end of the turn alone would be trained on.
 * @param begun text of message `first` that belongs to the prompt, and where it ends in the whole
 */
export function isSilent(
  { tokenizer, messages, rendering }: Chat,
  { text, spans }: Pick<RenderedChat, 'text' | 'spans'>,
  first: number,
  begun = { text: '', end: 0 },
): boolean {
  const isOwn = (at: number): boolean => at >= first && isLearned(messages[at]!);
  const isSaid = spans.some(
    ({ message, field, start, end }) =>
      isOwn(message) &&
      field !== 'role' &&
      text.slice(Math.max(start, begun.end), end).trim() !== '',
  );
  if (isSaid) return false;
  const emptied = messages.map((message, at) =>
    isOwn(at) ? { role: message.role, content: at === first ? begun.text : '' } : message,
  );
  try {
    return renderChat(tokenizer, emptied, rendering, 'whole').text === text;
  } catch (error) {
    if (error instanceof ChatTemplateError) return false;
    throw error;
  }
}

const hasItems = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

/** Characters that are neither white space nor part of a tag. */
const wordLength = (text: string): number =>
  text.replaceAll(/<\/?[\w|]+>/g, '').replaceAll(/\s+/g, '').length;
