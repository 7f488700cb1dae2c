// Text that tracks which message each part came from. Text without an origin is a plain JS string,
// which keeps the common case fast. A Str carries runs; a run may be empty, so that empty content
// still marks its place.

import { LONGEST_TEXT, makeRoom, spend } from './limits.ts';

/** Where a run of text came from. `message` is -1 for the template's own text. */
export interface Origin {
  readonly message: number;
  /** The message's field, such as `content`. */
  readonly field: string;
  /** Number of the enclosing {% generation %} block, or 0. */
  readonly generation: number;
  /** Index of the message that this block was written for, where a loop over messages wrote it. */
  readonly writer?: number;
  /** Set on placeholder text that marks a position and is removed later. */
  readonly marker?: boolean;
}

/** UTF-16 offsets. Runs are in order and do not overlap. */
export interface Run {
  readonly start: number;
  readonly end: number;
  readonly origin: Origin;
}

export class Str {
  readonly text: string;
  readonly runs: readonly Run[];

  constructor(text: string, runs: readonly Run[]) {
    this.text = text;
    this.runs = runs;
  }
}

/**
 * Text from the filters `safe` and `escape`. Joining other text to it escapes that text for HTML.
 */
export class Markup extends Str {}

export type Text = string | Str;

export const textOf = (text: Text): string => (typeof text === 'string' ? text : text.text);

export const isText = (value: unknown): value is Text =>
  typeof value === 'string' || value instanceof Str;

export const isMarkup = (value: unknown): value is Markup => value instanceof Markup;

export const markup = (text: Text): Markup =>
  text instanceof Markup
    ? text
    : new Markup(textOf(text), typeof text === 'string' ? [] : text.runs);

/** Converts Markup to an ordinary str. */
export const unmarked = (text: Text): Text =>
  text instanceof Markup ? make(text.text, text.runs) : text;

const make = (text: string, runs: readonly Run[]): Text =>
  runs.length === 0 ? text : new Str(text, runs);

/** Tags all of `text` with one origin. */
export const tagged = (text: string, origin: Origin): Str =>
  new Str(text, [{ start: 0, end: text.length, origin }]);

/** Concatenates text piece by piece. */
export class TextBuilder {
  text = '';
  readonly runs: Run[] = [];

  /**
   * @param origin applied to a plain string
   * @throws PythonError if the text is too long
   */
  add(piece: Text, origin: Origin | null = null): void {
    const at = this.text.length;
    checkLength(at, piece);
    if (typeof piece === 'string') {
      this.text += piece;
      if (origin !== null) this.#push(at, this.text.length, origin);
      return;
    }
    this.text += piece.text;
    for (const run of piece.runs) this.#push(run.start + at, run.end + at, run.origin);
  }

  #push(start: number, end: number, origin: Origin): void {
    const last = this.runs.at(-1);
    if (last !== undefined && last.origin === origin && last.end === start) {
      this.runs[this.runs.length - 1] = { start: last.start, end, origin };
    } else {
      this.runs.push({ start, end, origin });
    }
  }

  build(): Text {
    return make(this.text, this.runs);
  }
}

/** Counts only the added text, since text is often built from many small pieces. */
const checkLength = (at: number, piece: Text): void => {
  const { length } = textOf(piece);
  if (at + length > LONGEST_TEXT) makeRoom(at + length);
  spend((length >>> 10) + (typeof piece === 'string' ? 0 : piece.runs.length >>> 4));
};

export const concat = (pieces: Iterable<Text>): Text => {
  const builder = new TextBuilder();
  for (const piece of pieces) builder.add(piece);
  return builder.build();
};

/** The text between two UTF-16 offsets. An empty slice keeps the origin at its position. */
export const sliceText = (text: Text, start: number, end = textOf(text).length): Text => {
  if (typeof text === 'string') return text.slice(start, end);
  const to = Math.max(start, end);
  const runs: Run[] = [];
  for (const run of text.runs) {
    const from = Math.max(run.start, start);
    const until = Math.min(run.end, to);
    const kept = from < until || (from === until && (run.start === run.end || start === to));
    if (!kept) continue;
    runs.push({ start: from - start, end: until - start, origin: run.origin });
    if (start === to) break;
  }
  return make(text.text.slice(start, to), runs);
};

/** Maps characters, for example to upper case. Each run follows its text. */
export const mapText = (text: Text, map: (text: string) => string): Text => {
  makeRoom(textOf(text).length);
  if (typeof text === 'string') return map(text);
  const whole = map(text.text);
  const borders = [
    ...new Set([0, ...text.runs.flatMap(({ start, end }) => [start, end]), text.text.length]),
  ].sort((a, b) => a - b);
  const moved = new Map([[0, 0]]);
  let length = 0;
  for (let i = 1; i < borders.length; i++) {
    length += map(text.text.slice(borders[i - 1], borders[i])).length;
    moved.set(borders[i]!, length);
  }
  const { runs } = text;
  // The mapping depends on text outside the run, so the whole gets the first origin.
  if (length !== whole.length) {
    return make(
      whole,
      runs.slice(0, 1).map(({ origin }) => ({ start: 0, end: whole.length, origin })),
    );
  }
  return make(
    whole,
    runs.map(({ start, end, origin }) => ({
      start: moved.get(start)!,
      end: moved.get(end)!,
      origin,
    })),
  );
};

/** Marks all of `text` as part of a generation block that was written for a message. */
export const inGeneration = (text: Text, generation: number, writer: number): Text => {
  const own: Origin = { message: -1, field: '', generation, writer };
  const builder = new TextBuilder();
  const { length } = textOf(text);
  let at = 0;
  for (const { start, end, origin } of typeof text === 'string' ? [] : text.runs) {
    if (start > at) builder.add(textOf(text).slice(at, start), own);
    builder.add(tagged(textOf(text).slice(start, end), { ...origin, generation, writer }));
    at = end;
  }
  if (at < length || length === 0) builder.add(textOf(text).slice(at), own);
  return builder.build();
};
