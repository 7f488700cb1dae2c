// Detects text of the assistant that a chat template drops, so that it cannot be missed in training
// without a warning.
import type { RenderedChat } from '@keel/model';
import type { Message } from '../data/messages.ts';
import { isLearned } from './chat-turns.ts';

/** Fields of a message that hold the model's own text. */
const spokenFields = [
  'content',
  'reasoning_content',
  'reasoning',
  'thinking',
  'tool_plan',
  'tool_calls',
];

/**
 * The fields of the assistant's turns, from message `first`, of which the template drops text.
 * White space and tags do not count: templates trim text, and write tags such as `<think>`
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

const hasItems = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

/** Characters that are neither white space nor part of a tag. */
const wordLength = (text: string): number =>
  text.replaceAll(/<\/?[\w|]+>/g, '').replaceAll(/\s+/g, '').length;
