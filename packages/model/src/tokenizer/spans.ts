// Where the text of messages and {% generation %} blocks is in the rendered text.
import type { Text } from '../jinja/text.ts';

/** UTF-16 offsets. */
export interface Span {
  start: number;
  end: number;
}

/**
 * Text from a field of message `message`. `field` is '' if the template wrote the message as a
 * whole.
 */
export interface ContentSpan extends Span {
  message: number;
  field: string;
}

/** The runs up to `end`, clipped there. */
const runsUpTo = (text: Text, end: number) =>
  (typeof text === 'string' ? [] : text.runs)
    .filter(({ start }) => start <= end)
    .map((run) => ({ ...run, end: Math.min(run.end, end) }));

/** Merges adjacent runs of the same message and field. */
export const spansOf = (text: Text, end: number): ContentSpan[] => {
  const spans: ContentSpan[] = [];
  for (const { start, end: until, origin } of runsUpTo(text, end)) {
    const { message, field } = origin;
    if (message < 0 || origin.marker) continue;
    const last = spans.at(-1);
    if (last?.message === message && last.field === field && last.end === start) last.end = until;
    else spans.push({ message, field, start, end: until });
  }
  return spans;
};

/** The text of a {% generation %} block. */
export interface GenerationSpan extends Span {
  /** The message that it was written for; -1 where no loop over messages wrote it. */
  message: number;
}

export const generationSpans = (text: Text, end: number): GenerationSpan[] => {
  const blocks = new Map<number, GenerationSpan>();
  for (const { start, end: until, origin } of runsUpTo(text, end)) {
    if (origin.generation === 0) continue;
    const block = blocks.get(origin.generation);
    if (block === undefined) {
      blocks.set(origin.generation, { message: origin.writer ?? -1, start, end: until });
    } else block.end = until;
  }
  return [...blocks.values()];
};
