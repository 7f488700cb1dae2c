import { TokenizerError } from './tokenizer-error.ts';

/** Values of `tokenizer.ggml.token_type`. */
export const tokenTypes = { normal: 1, control: 3, userDefined: 4, unused: 5 } as const;

/** Typed access to `tokenizer.ggml.*`. */
export class Fields {
  readonly #metadata: Record<string, unknown>;
  readonly #source: string;

  constructor(metadata: Record<string, unknown>, source: string) {
    this.#metadata = metadata;
    this.#source = source;
  }

  fail(message: string): never {
    throw new TokenizerError(this.#source, message);
  }

  #get<T>(name: string, what: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.#metadata[`tokenizer.ggml.${name}`];
    if (value === undefined || is(value)) return value;
    return this.fail(`tokenizer.ggml.${name} is not ${what}`);
  }

  text(name: string): string | undefined {
    return this.#get(name, 'text', (value) => typeof value === 'string');
  }

  flag(name: string): boolean | undefined {
    return this.#get(name, 'true or false', (value) => typeof value === 'boolean');
  }

  number(name: string): number | undefined {
    return this.#get(name, 'a number', (value) => typeof value === 'number');
  }

  texts(name: string): string[] | undefined {
    return this.#get(
      name,
      'a list of texts',
      (value): value is string[] =>
        Array.isArray(value) && value.every((entry) => typeof entry === 'string'),
    );
  }

  numbers(name: string, length: number): number[] | undefined {
    return this.#get(
      name,
      `a list of ${length} numbers, one for each token`,
      (value): value is number[] =>
        Array.isArray(value) &&
        value.length === length &&
        value.every((entry) => typeof entry === 'number'),
    );
  }

  id(name: string, tokens: readonly string[]): number | null {
    const id = this.number(name);
    return id === undefined ? null : this.#checked(name, id, tokens);
  }

  /** ollama's list of all tokens that end a text. */
  ids(name: string, tokens: readonly string[]): number[] {
    const ids = this.#get(
      name,
      'a list of numbers',
      (value): value is number[] =>
        Array.isArray(value) && value.every((entry) => typeof entry === 'number'),
    );
    return (ids ?? []).map((id) => this.#checked(name, id, tokens));
  }

  #checked(name: string, id: number, tokens: readonly string[]): number {
    if (!Number.isInteger(id) || id < 0 || id >= tokens.length) {
      this.fail(`tokenizer.ggml.${name} is ${id}, but the vocabulary has ${tokens.length} tokens`);
    }
    return id;
  }
}
