// Finds the end of the last message's text in the rendered conversation, by the rules of
// transformers. A marker is appended to the text before rendering; its origin shows where it ended
// up.

import { type Text, textOf } from '../jinja/text.ts';
import { strip } from '../jinja/text-methods.ts';
import type { ChatMessage } from './chat-message.ts';
import { ChatTemplateError } from './chat-template-error.ts';
import type { FinalText } from './conversation-values.ts';

const marker = 'CONTINUE_FINAL_MESSAGE_TAG ';

const stripped = (text: string): string => textOf(strip(text, null, true, true));

/**
 * @throws ChatTemplateError if the last message has no text in that field, or the template does not
 *   use the field
 */
export const finalTextOf = (message: ChatMessage, field: string, source: string): FinalText => {
  const value = message[field];
  if (value === null || value === undefined) {
    throw cannotContinue(message, `it has no "${field}"`);
  }
  if (!source.includes(field)) {
    throw cannotContinue(message, `the chat template does not use the field "${field}"`);
  }
  if (typeof value === 'string') return { field, block: null, text: value, marker };
  const blocks = Array.isArray(value) ? value : [];
  const block = blocks.findLastIndex(
    (entry) => typeof (entry as { text?: unknown } | null)?.text === 'string',
  );
  if (block < 0) throw cannotContinue(message, `its "${field}" has no text`);
  return { field, block, text: (blocks[block] as { text: string }).text, marker };
};

const cannotContinue = ({ role }: ChatMessage, reason: string): ChatTemplateError =>
  new ChatTemplateError(`The last message (${role}) cannot be continued: ${reason}`);

/**
 * The length of the rendered text up to the end of the final message's text.
 * @throws ChatTemplateError if the template omits or changes the text
 */
export const endOfFinalText = (
  rendered: Text,
  { text: final }: FinalText,
  message: ChatMessage,
): number => {
  const text = textOf(rendered);
  const runs = typeof rendered === 'string' ? [] : rendered.runs;
  const place = runs.findLast(({ start, end, origin }) => origin.marker === true && end > start);
  // A template that knows the marker takes it from the text, and writes it behind the tool calls.
  const start = place?.start ?? text.lastIndexOf(stripped(marker));
  if (start < 0 || !text.includes(stripped(final))) {
    throw new ChatTemplateError(
      `The last message (${message.role}) cannot be continued: the chat template changes or omits its text.\n` +
        `Text:\n${stripped(final)}\nRendered conversation:\n${text.replaceAll(stripped(marker), '')}`,
    );
  }
  // If the template trims the text, transformers also strips whitespace that the template put
  // before it.
  if (text.startsWith(marker, start)) return start;
  return textOf(strip(text.slice(0, start), null, false, true)).length;
};
