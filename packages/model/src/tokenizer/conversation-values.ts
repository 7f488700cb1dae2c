// Converts messages to template values whose text is tagged with its origin.
import { fromJs } from '../jinja/from-js.ts';
import { concat, type Origin, type Text, tagged } from '../jinja/text.ts';
import { Dict, List, type Value } from '../jinja/values.ts';
import { fieldNames } from '../json/exact-json.ts';
import type { ChatMessage } from './chat-message.ts';

const origin = (message: number, field: string): Origin => ({ message, field, generation: 0 });

/** The text to continue: a field of the last message, or a block of that field. */
export interface FinalText {
  field: string;
  /** Index of the content block, or null if the field itself is text. */
  block: number | null;
  text: string;
  /** Appended to the text to find its end in the output. */
  marker: string;
}

/**
 * Template values of the messages. All text except the role is tagged with its message and field.
 */
export const messageValues = (messages: readonly ChatMessage[], final: FinalText | null): List =>
  new List(
    messages.map((message, index) => {
      const isLast = index === messages.length - 1;
      const entries = fieldNames(message)
        .filter((field) => message[field] !== undefined)
        .map((field) => {
          const value = message[field];
          if (field === 'role') return [field, fromJs(value)] as const;
          const ends = isLast && final?.field === field ? final : null;
          return [field, fieldValue(value, origin(index, field), ends)] as const;
        });
      return new Dict(entries, origin(index, ''));
    }),
  );

const fieldValue = (value: unknown, from: Origin, final: FinalText | null): Value => {
  if (final === null) return fromJs(value, from);
  if (final.block === null) return withMarker(final, from);
  const blocks = (value as unknown[]).map((block, index) =>
    index === final.block
      ? fromJs({ ...(block as object), text: withMarker(final, from) }, from)
      : fromJs(block, from),
  );
  return new List(blocks, from);
};

const withMarker = ({ text, marker }: FinalText, from: Origin): Text =>
  concat([tagged(text, from), tagged(marker, { ...from, marker: true })]);
