// What a chat template is given: the messages, their text marked with where it came from, and the other variables.
import { fromJs } from '../jinja/from-js.ts';
import { concat, type Origin, type Text, tagged } from '../jinja/text.ts';
import { Dict, List, type Value } from '../jinja/values.ts';
import type { ChatMessage } from './chat-template.ts';

const origin = (message: number, field: string): Origin => ({ message, field, generation: 0 });

/** A place in the text that is to be continued: a field of the last message, or a block of it. */
export interface FinalText {
  field: string;
  /** Index of the block whose `text` it is, or null where the field itself is text. */
  block: number | null;
  text: string;
  /** Put right after the text, so that its end is found in what the template makes of it. */
  marker: string;
}

/** The messages as the template sees them. All but the role is marked with its message and field. */
export const messageValues = (messages: readonly ChatMessage[], final: FinalText | null): List =>
  new List(
    messages.map((message, index) => {
      const isLast = index === messages.length - 1;
      const entries = Object.entries(message)
        .filter(([, value]) => value !== undefined)
        .map(([field, value]) => {
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
      ? fromJs(
          new Map([...Object.entries(block as object), ['text', withMarker(final, from)]]),
          from,
        )
      : fromJs(block, from),
  );
  return new List(blocks, from);
};

const withMarker = ({ text, marker }: FinalText, from: Origin): Text =>
  concat([tagged(text, from), tagged(marker, { ...from, marker: true })]);
