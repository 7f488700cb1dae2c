import { TemplateSyntaxError } from './errors.ts';
import { codeEscape } from './repr.ts';

const simple: Record<string, string> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const lengths: Record<string, number> = { x: 2, u: 4, U: 8 };

/**
 * Decodes the escapes of a Python string literal.
 * @throws TemplateSyntaxError for a broken escape, or one that names a character
 */
export const unescapeString = (literal: string, at: number): string => {
  if (!literal.includes('\\')) return literal;
  // jinja2 encodes to ASCII first, so a backslash before a non-ASCII character combines with that
  // character's escape.
  const source = literal.replace(/[^\0-\x7f]/gu, codeEscape);
  let text = '';
  let index = 0;
  while (index < source.length) {
    const character = source[index]!;
    if (character !== '\\') {
      text += character;
      index++;
      continue;
    }
    const kind = source[index + 1];
    if (kind === undefined) throw new TemplateSyntaxError('\\ at end of string', at);
    const octal = /^[0-7]{1,3}/.exec(source.slice(index + 1))?.[0];
    if (kind in simple) {
      text += simple[kind];
      index += 2;
    } else if (octal !== undefined) {
      text += String.fromCharCode(Number.parseInt(octal, 8));
      index += 1 + octal.length;
    } else if (kind in lengths) {
      text += coded(source, index, lengths[kind]!, at);
      index += 2 + lengths[kind]!;
    } else if (kind === 'N') {
      throw new TemplateSyntaxError('the escape \\N{…} is not supported: write the character', at);
    } else {
      text += `\\${kind}`;
      index += 2;
    }
  }
  return text;
};

const coded = (source: string, index: number, length: number, at: number): string => {
  const digits = source.slice(index + 2, index + 2 + length);
  const point =
    /^[\da-f]+$/i.test(digits) && digits.length === length ? Number.parseInt(digits, 16) : -1;
  if (point < 0) {
    throw new TemplateSyntaxError(`truncated \\${source[index + 1]} escape in a string`, at);
  }
  if (point > 0x10ffff) throw new TemplateSyntaxError('illegal Unicode character', at);
  return String.fromCodePoint(point);
};
