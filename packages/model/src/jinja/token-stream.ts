import { TemplateSyntaxError } from './errors.ts';
import type { Token } from './lexer.ts';
import { textOf } from './text.ts';

const descriptions: Record<string, string> = {
  block_begin: 'begin of statement block',
  block_end: 'end of statement block',
  variable_begin: 'begin of print statement',
  variable_end: 'end of print statement',
  data: 'template data / text',
  eof: 'end of template',
};

/** A token's name in messages. */
export const describe = ({ type, value }: Token): string =>
  type === 'name' ? textOf(value as string) : (descriptions[type] ?? type);

/** Reads the tokens of a template one at a time. */
export class TokenStream {
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get current(): Token {
    return this.#tokens[this.#index]!;
  }

  get ahead(): Token {
    return this.#tokens[Math.min(this.#index + 1, this.#tokens.length - 1)]!;
  }

  /** Whether the current token has one of these types. */
  is(...types: string[]): boolean {
    return types.includes(this.current.type);
  }

  /** Whether the current token is one of these words. */
  isWord(...words: string[]): boolean {
    return this.current.type === 'name' && words.includes(this.current.value as string);
  }

  /** Returns the current token and advances. */
  take(): Token {
    const { current } = this;
    if (this.#index < this.#tokens.length - 1) this.#index++;
    return current;
  }

  takeIf(type: string): boolean {
    const matches = this.is(type);
    if (matches) this.take();
    return matches;
  }

  takeWordIf(word: string): boolean {
    const matches = this.isWord(word);
    if (matches) this.take();
    return matches;
  }

  /** @throws TemplateSyntaxError if the current token has another type */
  expect(type: string): Token {
    if (this.is(type)) return this.take();
    return this.unexpected(descriptions[type] ?? type);
  }

  /** @throws TemplateSyntaxError if the current token is another word */
  expectWord(word: string): Token {
    if (this.isWord(word)) return this.take();
    return this.unexpected(word);
  }

  unexpected(expected: string): never {
    const { current } = this;
    throw new TemplateSyntaxError(
      current.type === 'eof'
        ? `unexpected end of template, expected '${expected}'.`
        : `expected token '${expected}', got '${describe(current)}'`,
      current.at,
    );
  }
}
