import type { Tokenizer } from '@keel/model';

/** Tokenises a row of some kind; null if it leaves no room within the maximum length. */
export type TokeniseRow<Row, Tokens, Options> = (
  row: Row,
  tokenizer: Tokenizer,
  options: Options,
) => Tokens | null;

/**
 * A function that another thread loads by name, since functions cannot be sent to threads. Its
 * rows, options and results are plain objects, lists, texts and numbers.
 */
export interface NamedTokenise<Row, Tokens, Options> {
  run: TokeniseRow<Row, Tokens, Options>;
  /** `import.meta.url` of the module that exports it. */
  module: string;
  /** Its name there. */
  name: string;
}

/** The outcome of a row: its tokens (null as above), or the error of the function. */
export type Outcome<Tokens> = { tokens: Tokens | null } | { error: unknown };

/** What a thread is started with. */
export interface ThreadStart {
  /** Definition of the tokenizer; see `Tokenizer.definition`. */
  definition: string;
  module: string;
  name: string;
  options: unknown;
}

/** Packed rows to tokenise. The answer has null for each row that failed. */
export interface ThreadRequest {
  id: number;
  rows: readonly unknown[];
}
export interface ThreadAnswer {
  id: number;
  results: ({ tokens: unknown } | null)[];
}
