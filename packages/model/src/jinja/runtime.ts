// Run-time state of a template.
import { PythonError } from './errors.ts';
import { spend } from './limits.ts';
import { type Text, TextBuilder } from './text.ts';
import { Undefined, type Value } from './values.ts';

/** Output of the template or of a captured block. */
export class Output extends TextBuilder {}

/** Top-level names of the template, which shadow the variables that it was given. */
export class Context {
  readonly variables = new Map<string, Value>();
  readonly #given: ReadonlyMap<string, Value>;

  constructor(given: ReadonlyMap<string, Value>) {
    this.#given = given;
  }

  resolve(name: string): Value | undefined {
    const own = this.variables.get(name);
    return own === undefined ? this.#given.get(name) : own;
  }

  /** A context in which these names shadow its own. */
  derived(names: ReadonlyMap<string, Value>): Context {
    return new Context(new Map([...this.#given, ...this.variables, ...names]));
  }
}

/** State of one rendering. `at` is the current source offset, for messages. */
export interface Rendering {
  at: number;
  generations: number;
  /**
   * Index of the message that the innermost loop over messages is at; -1 outside of such a loop.
   */
  message: number;
  depth: number;
  /** Whether printing a name without a value is an error. */
  strict: boolean;
}

/** The variables of one call of a function; a variable without a value is undefined. */
export class Scope {
  readonly values: (Value | undefined)[];
  readonly parent: Scope | null;
  readonly context: Context;
  readonly rendering: Rendering;

  constructor(size: number, parent: Scope | null, context: Context, rendering: Rendering) {
    this.values = new Array(size).fill(undefined);
    this.parent = parent;
    this.context = context;
    this.rendering = rendering;
  }
}

export type Evaluate = (scope: Scope) => Value;

/**
 * How a statement ended. 'break' leaves the surrounding loop, and 'continue' moves on to its next
 * value.
 */
export type Ending = 'next' | 'break' | 'continue';
export type Execute = (scope: Scope, output: Output) => Ending;

export const undefinedName = (name: string): Undefined =>
  new Undefined(() => `'${name}' is undefined`);

export const undefinedBecause = (message: string): Undefined => new Undefined(() => message);

export const capture = (scope: Scope, execute: Execute): { text: Text; ending: Ending } => {
  const output = new Output();
  const ending = execute(scope, output);
  return { text: output.build(), ending };
};

// As deep as Python would let a template recurse, or less.
const deepest = 200;

/** @throws PythonError if macros or loops call themselves too deeply */
export const nested = <T>(rendering: Rendering, body: () => T): T => {
  if (rendering.depth >= deepest) {
    throw new PythonError('RecursionError', 'maximum recursion depth exceeded');
  }
  // A call costs more than the statements in it.
  spend(10);
  rendering.depth++;
  try {
    return body();
  } finally {
    rendering.depth--;
  }
};
