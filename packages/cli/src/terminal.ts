/**
 * Everything that the command prints for people goes through here. Much of it comes from files,
 * models and errors, so control characters are escaped, and only styles that the command itself
 * chose reach the terminal.
 */
import { styleText } from 'node:util';
import { shownText } from '@keel/model/without-torch';

type Style = Parameters<typeof styleText>[0];

/** Text in a style that the command chose. */
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

/** Writes text without a newline at the end. */
export const write = (stream: NodeJS.WritableStream, text: string): void =>
  void stream.write(shownText(text));

/** Prints JSON on one line of stdout, with its values unchanged. */
export const sayJson = (value: unknown, space?: number): void =>
  sayJsonText(JSON.stringify(value, null, space));

/** Like {@link sayJson}, for text that is already JSON. */
export const sayJsonText = (json: string): void => console.log(json.replace(unescaped, escaped));

// Characters that JSON leaves unescaped but a terminal acts on. They can only occur inside strings.
const unescaped = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
