/** What an answer must match. */
export type Constraint =
  | { kind: 'json-schema'; schema: unknown }
  | { kind: 'json' }
  | { kind: 'regex'; pattern: string }
  | { kind: 'grammar'; text: string }
  | { kind: 'choice'; choices: readonly string[] }
  /** Texts and constraints one after the other. */
  | { kind: 'sequence'; parts: readonly (string | Constraint)[] }
  /** At least one of several. */
  | { kind: 'any'; options: readonly Constraint[] };

/** A constraint compiled for one tokenizer. */
export interface TokenConstraint {
  /** Words of 32 tokens in a mask: ceil(vocabulary size of the model / 32). */
  readonly words: number;
  start(): ConstraintState;
}

/** Where an answer is in its constraint. */
export interface ConstraintState {
  /**
   * Writes which tokens may come next: bit (t % 32) of word floor(t / 32). End-of-turn tokens are
   * allowed exactly where the constraint may end.
   * @param into [words]
   * @param left how many tokens may still come, including the end token: tokens after which the
   *   answer could not be completed with the others are then not allowed, unless nothing is left
   *   (default: any number)
   */
  allowed(into: Int32Array, left?: number): void;
  /** @throws Error if the token is not allowed. */
  accept(token: number): void;
  /** The answer is complete and only an end token may follow. */
  readonly finished: boolean;
  dispose(): void;
}

/** The tokens that a constraint is compiled for. */
export interface CompileConstraintOptions {
  /** The model's, which may be larger than the tokenizer's. */
  vocabularySize: number;
  /** Tokens that end an answer. */
  stopTokenIds: readonly number[];
  /**
   * Whether the answer starts inside a reasoning block, so that the constraint starts after
   * `</think>` (default: false).
   */
  afterReasoning?: boolean;
  /** Special tokens that are allowed where their text is (default: none). */
  textTokens?: readonly string[];
}
