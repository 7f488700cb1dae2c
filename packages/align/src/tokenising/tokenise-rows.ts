import type { Tokenizer } from '@keel/model';

/** Turns a row of some kind into tokens; null where it leaves no room within the maximum length. */
export type TokeniseRow<Row, Tokens, Options> = (
  row: Row,
  tokenizer: Tokenizer,
  options: Options,
) => Tokens | null;

/**
 * A function that another thread can find: a thread cannot be given one. Its rows, options and
 * results are plain objects, lists, texts and numbers.
 */
export interface NamedTokenise<Row, Tokens, Options> {
  run: TokeniseRow<Row, Tokens, Options>;
  /** `import.meta.url` of the module that exports it. */
  module: string;
  /** Its name there. */
  name: string;
}

/** What became of a row: its tokens (null as above), or the error that the function threw. */
export type Outcome<Tokens> = { tokens: Tokens | null } | { error: unknown };

/** What a thread is begun with. */
export interface ThreadStart {
  /** Of the tokenizer; see `Tokenizer.definition`. */
  definition: string;
  module: string;
  name: string;
  options: unknown;
}

/** Rows to be tokenised, packed, and the answer to them: null where a row failed. */
export interface ThreadRequest {
  id: number;
  rows: readonly unknown[];
}
export interface ThreadAnswer {
  id: number;
  results: ({ tokens: unknown } | null)[];
}
