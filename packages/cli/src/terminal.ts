/**
 * The border to the terminal: all that the command prints for people goes through here. Files,
 * models and errors decide much of it, so control characters are written out, and only styles that
 * the command itself chose reach the terminal.
 */
import { styleText } from 'node:util';
import { shownText } from './torch-free/shown-text.ts';

type Style = Parameters<typeof styleText>[0];

/** Text in a style of ours. */
export interface Styled {
  style: Style;
  text: string;
}

export const styled = (style: Style, text: string): Styled => ({ style, text });

const shown = (parts: readonly (string | Styled)[]): string =>
  parts
    .map((part) =>
      typeof part === 'string' ? shownText(part) : styleText(part.style, shownText(part.text)),
    )
    .join('');

/** Prints a line, or several, on stdout. */
export const say = (...parts: readonly (string | Styled)[]): void => console.log(shown(parts));

/** Prints a line, or several, on stderr. */
export const complain = (...parts: readonly (string | Styled)[]): void =>
  console.error(shown(parts));

/** Writes a piece of text, without an end of line. */
export const write = (stream: NodeJS.WritableStream, text: string): void =>
  void stream.write(shownText(text));

/** Prints JSON on one line of stdout. Its values stay exactly what they are. */
export const sayJson = (value: unknown, space?: number): void =>
  sayJsonText(JSON.stringify(value, null, space));

/** As {@link sayJson}, for what is JSON already. */
export const sayJsonText = (json: string): void => console.log(json.replace(unescaped, escaped));

// What JSON takes as it is, and a terminal does not. All of it can only be inside of texts.
const unescaped = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
