// Python's textwrap.wrap() with the options of the filter wordwrap.
import { Points } from './code-points.ts';
import { typeError, valueError } from './errors.ts';
import { concat, sliceText, type Text, textOf } from './text.ts';

export interface WrapOptions {
  width: number;
  breakLongWords: boolean;
  breakOnHyphens: boolean;
}

const space = '[\\t\\n\\v\\f\\r ]';
const notSpace = '[^\\t\\n\\v\\f\\r ]';
const word = '[\\p{L}\\p{N}_!"\'&.,?]';
const letter = '[\\p{L}\\p{Nl}\\p{No}_]';
const wordCharacter = '[\\p{L}\\p{N}_]';

const chunk = new RegExp(
  `${space}+|(?<=${word})-{2,}(?=${wordCharacter})|${notSpace}+?(?:` +
    `-(?:(?<=${letter}{2}-)|(?<=${letter}-${word}-))(?=${letter}-?${letter})` +
    `|(?=${space}|$)|(?<=${word})(?=-{2,}${wordCharacter}))`,
  'gu',
);
const simpleChunk = new RegExp(`${space}+|${notSpace}+`, 'g');

const lengthOf = (text: Text): number => new Points(textOf(text)).length;
const isBlank = (text: Text): boolean => textOf(text).trim() === '';

const chunksOf = (text: Text, breakOnHyphens: boolean): Text[] =>
  [...textOf(text).matchAll(breakOnHyphens ? chunk : simpleChunk)].map((match) =>
    sliceText(text, match.index, match.index + match[0].length),
  );

/** @throws PythonError if the width is too small */
export const wrap = (
  text: Text,
  { width, breakLongWords, breakOnHyphens }: WrapOptions,
): Text[] => {
  if (width <= 0) throw valueError(`invalid width ${width} (must be > 0)`);
  const chunks = chunksOf(text, breakOnHyphens).reverse();
  const lines: Text[] = [];
  while (chunks.length > 0) {
    const line: Text[] = [];
    let length = 0;
    if (isBlank(chunks.at(-1)!) && lines.length > 0) chunks.pop();
    while (chunks.length > 0 && length + lengthOf(chunks.at(-1)!) <= width) {
      const next = chunks.pop()!;
      line.push(next);
      length += lengthOf(next);
    }
    const long = chunks.at(-1);
    if (long !== undefined && lengthOf(long) > width) {
      if (breakLongWords) {
        const [head, rest] = cut(long, width < 1 ? 1 : width - length, breakOnHyphens);
        line.push(head);
        chunks[chunks.length - 1] = rest;
      } else if (line.length === 0) line.push(chunks.pop()!);
    }
    if (line.length > 0 && isBlank(line.at(-1)!)) line.pop();
    if (line.length > 0) lines.push(concat(line));
  }
  return lines;
};

const cut = (chunk: Text, room: number, breakOnHyphens: boolean): [Text, Text] => {
  const text = textOf(chunk);
  const points = new Points(text);
  if (!Number.isInteger(room)) {
    throw typeError('slice indices must be integers or None or have an __index__ method');
  }
  let end = points.unit(Math.min(room, points.length));
  if (breakOnHyphens && points.length > room) {
    const hyphen = text.lastIndexOf('-', end - 1);
    if (hyphen > 0 && /[^-]/.test(text.slice(0, hyphen))) end = hyphen + 1;
  }
  return [sliceText(chunk, 0, end), sliceText(chunk, end)];
};
