// Splits a template into tokens by the rules of jinja2's lexer. Of chat templates, trim_blocks and
// lstrip_blocks are on, as in transformers; of other texts they are off, and a newline at the end
// stays.
import { TemplateSyntaxError } from './errors.ts';
import { float, int } from './numbers.ts';
import { unescapeString } from './string-literal.ts';
import { whitespace } from './unicode.ts';
import type { Value } from './values.ts';

export interface Token {
  /** A token type of jinja2's lexer, or the operator itself. */
  readonly type: string;
  /** The text of names and data, or the value of literals. */
  readonly value: Value;
  readonly at: number;
}

const space = `[${whitespace}]`;
const spaces = new RegExp(`${space}+`, 'y');
const onlySpaces = new RegExp(`^${space}+$`);
const trailingSpaces = new RegExp(`${space}+$`);
const opening = new RegExp(
  `(?<raw>\\{%(?<rawSign>[-+]?)${space}*raw${space}*(?:-%\\}${space}*|%\\}))|(?<tag>\\{[{%#])(?<sign>[-+]?)`,
  'g',
);
const commentEnd = new RegExp(`\\+#\\}|-#\\}${space}*|#\\}\\n?`, 'g');
const rawEnd = new RegExp(
  `\\{%(?<sign>[-+]?)${space}*endraw${space}*(?:\\+%\\}|-%\\}${space}*|%\\}\\n?)`,
  'g',
);
const blockEnd = new RegExp(`\\+%\\}|-%\\}${space}*|%\\}\\n?`, 'y');
const wholeCommentEnd = new RegExp(`-#\\}${space}*|\\+?#\\}`, 'g');
const wholeRawEnd = new RegExp(
  `\\{%(?<sign>[-+]?)${space}*endraw${space}*(?:-%\\}${space}*|\\+?%\\})`,
  'g',
);
const wholeBlockEnd = new RegExp(`-%\\}${space}*|\\+?%\\}`, 'y');
const variableEnd = new RegExp(`-\\}\\}${space}*|\\}\\}`, 'y');

const floatLiteral =
  /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const intLiteral = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const name = /[\p{L}\p{N}\p{M}\p{Pc}·]+/uy;
const identifier = /^[_\p{XID_Start}]\p{XID_Continue}*$/u;
const stringLiteral = /'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y;
const operator = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y;

const closers: Record<string, string> = { '{': '}', '(': ')', '[': ']' };

/**
 * What happens to white space around blocks: `trimmed` as in chat templates, or `whole`, as a
 * jinja2 environment has it by default.
 */
export type Whitespace = 'trimmed' | 'whole';

/** Converts newlines to \n and, of a chat template, drops one at the end. */
export const normalise = (source: string, whitespace: Whitespace = 'trimmed'): string => {
  const lines = source.replace(/\r\n|\r/g, '\n');
  return whitespace === 'whole' ? lines : lines.replace(/\n$/, '');
};

/** @throws TemplateSyntaxError */
export const tokenize = (source: string, whitespace: Whitespace): Token[] =>
  new Lexer(source, whitespace).run();

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  /** Whether the last token ended with a newline. */
  #lineStarting = true;
  readonly #trimmed: boolean;

  constructor(source: string, whitespace: Whitespace) {
    this.#source = source;
    this.#trimmed = whitespace === 'trimmed';
  }

  run(): Token[] {
    while (this.#at < this.#source.length) this.#root();
    this.#push('eof', null, this.#source.length);
    return this.#tokens;
  }

  #push(type: string, value: Value, at: number): void {
    this.#tokens.push({ type, value, at });
  }

  /** Reads text up to the next tag, and the tag. */
  #root(): void {
    opening.lastIndex = this.#at;
    const match = opening.exec(this.#source);
    if (match === null) {
      this.#push('data', this.#source.slice(this.#at), this.#at);
      this.#at = this.#source.length;
      return;
    }
    const { raw, rawSign, tag, sign } = match.groups as Record<string, string | undefined>;
    this.#data(this.#source.slice(this.#at, match.index), rawSign ?? sign ?? '', tag === '{{');
    this.#advance(match.index, match[0]);
    if (raw !== undefined) this.#raw(match.index);
    else if (tag === '{#') this.#comment(match.index);
    else this.#inside(tag === '{{' ? 'variable' : 'block', match.index);
  }

  #advance(from: number, text: string): void {
    this.#at = from + text.length;
    this.#lineStarting = text.endsWith('\n');
  }

  /** Emits the text before a tag, without the whitespace that the tag strips. */
  #data(text: string, sign: string, isVariable: boolean): void {
    const at = this.#at;
    let kept = text;
    if (sign === '-') kept = text.replace(trailingSpaces, '');
    else if (this.#trimmed && sign !== '+' && !isVariable) {
      const line = text.lastIndexOf('\n') + 1;
      const begins = line > 0 || this.#lineStarting;
      if (begins && onlySpaces.test(text.slice(line))) kept = text.slice(0, line);
    }
    if (kept !== '') this.#push('data', kept, at);
  }

  #raw(begin: number): void {
    const end = this.#trimmed ? rawEnd : wholeRawEnd;
    end.lastIndex = this.#at;
    const match = end.exec(this.#source);
    if (match === null) throw new TemplateSyntaxError('Missing end of raw directive', begin);
    this.#data(this.#source.slice(this.#at, match.index), match.groups!.sign!, false);
    this.#advance(match.index, match[0]);
  }

  #comment(begin: number): void {
    const end = this.#trimmed ? commentEnd : wholeCommentEnd;
    end.lastIndex = this.#at;
    const match = end.exec(this.#source);
    if (match === null) throw new TemplateSyntaxError('Missing end of comment tag', begin);
    this.#advance(match.index, match[0]);
  }

  /** Reads the tokens inside a tag. */
  #inside(kind: 'variable' | 'block', begin: number): void {
    this.#push(`${kind}_begin`, null, begin);
    const ofBlock = this.#trimmed ? blockEnd : wholeBlockEnd;
    const end = kind === 'block' ? ofBlock : variableEnd;
    const open: string[] = [];
    while (this.#at < this.#source.length) {
      const at = this.#at;
      const closing = open.length === 0 ? this.#match(end) : null;
      if (closing !== null) {
        this.#push(`${kind}_end`, null, at);
        this.#advance(at, closing);
        return;
      }
      const taken = this.#match(spaces) ?? this.#literal(at) ?? this.#operator(at, open);
      if (taken === null) {
        const character = String.fromCodePoint(this.#source.codePointAt(at)!);
        throw new TemplateSyntaxError(`unexpected char '${character}'`, at);
      }
      this.#at = at + taken.length;
    }
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source)?.[0] ?? null;
  }

  #literal(at: number): string | null {
    const decimal = this.#match(floatLiteral);
    if (decimal !== null) {
      this.#push('float', float(Number(decimal.replaceAll('_', ''))), at);
      return decimal;
    }
    const integer = this.#match(intLiteral);
    if (integer !== null) {
      this.#push('integer', int(BigInt(integer.replaceAll('_', '').toLowerCase())), at);
      return integer;
    }
    const word = this.#match(name);
    if (word !== null) {
      if (!identifier.test(word)) {
        throw new TemplateSyntaxError('Invalid character in identifier', at);
      }
      this.#push('name', word, at);
      return word;
    }
    const text = this.#match(stringLiteral);
    if (text !== null) this.#push('string', unescapeString(text.slice(1, -1), at), at);
    return text;
  }

  #operator(at: number, open: string[]): string | null {
    const text = this.#match(operator);
    if (text === null) return null;
    if (text in closers) open.push(closers[text]!);
    else if (text === '}' || text === ')' || text === ']') {
      const expected = open.pop();
      if (expected === undefined) throw new TemplateSyntaxError(`unexpected '${text}'`, at);
      if (expected !== text) {
        throw new TemplateSyntaxError(`unexpected '${text}', expected '${expected}'`, at);
      }
    }
    this.#push(text, text, at);
    return text;
  }
}
