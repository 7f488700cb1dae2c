// Entry point of the chat template renderer: Jinja2 3.1 as transformers 5.17 sets it up.
// corpus.test.ts compares the two.
//
// Why not minijinja-js 2.11: it prints 20.0 as 20, 1e16 as 10000000000000000.0 and ['a', True] as
// ["a", true], evaluates 7 // -2 to -3, sorts dict keys, and lacks str methods such as rsplit and
// format. It also cannot report which part of the output came from which message, which training
// needs to know.
import { type AnyNode, type Block, type Call, walk } from './ast.ts';
import { checkNames } from './checks.ts';
import { type Compilation, enter } from './compilation.ts';
import { PythonError, TemplateSyntaxError } from './errors.ts';
import { Frame } from './frame.ts';
import { globalsAt } from './globals.ts';
import { normalise, type Whitespace } from './lexer.ts';
import { LONGEST_SOURCE, withBudget } from './limits.ts';
import { parseTemplate } from './parser.ts';
import {
  Context,
  type Execute,
  Output,
  type Rendering,
  Scope,
  undefinedBecause,
} from './runtime.ts';
import { newCompilation } from './statements.ts';
import type { LocalTime } from './strftime.ts';
import { FunctionScope, Symbols, undeclared } from './symbols.ts';
import { TemplateReference } from './template-reference.ts';
import type { Text } from './text.ts';
import type { Value } from './values.ts';

/** A position in a template's source. Lines and columns start at 1. */
export interface Place {
  line: number;
  column: number;
  /** The whole line. */
  text: string;
}

/** The position of a UTF-16 offset into a normalised source. */
export const placeIn = (source: string, at: number): Place => {
  const lines = normalise(source).split('\n');
  let line = 0;
  let start = 0;
  while (line < lines.length - 1 && start + lines[line]!.length < at) {
    start += lines[line]!.length + 1;
    line++;
  }
  const text = lines[line]!;
  return { line: line + 1, column: [...text.slice(0, at - start)].length + 1, text };
};

/** A template failed during rendering. */
export class TemplateFailure extends Error {
  readonly place: Place;
  override readonly cause: PythonError;

  constructor(cause: PythonError, place: Place) {
    super(cause.message);
    this.name = 'TemplateFailure';
    this.cause = cause;
    this.place = place;
  }
}

/** Formats that a template passes to strftime_now; null for a format that is not constant. */
export type ClockFormats = readonly (string | null)[];

export interface TemplateOptions {
  /** What happens to white space around blocks (default: as in chat templates). */
  whitespace?: Whitespace;
  /** Whether printing a name without a value is an error (default: it prints nothing). */
  strict?: boolean;
}

/** A compiled template. */
export class Template {
  /** Each use of strftime_now. */
  readonly clockFormats: ClockFormats;
  readonly hasGenerationBlocks: boolean;
  readonly #source: string;
  readonly #strict: boolean;
  readonly #scope = new FunctionScope(null);
  readonly #self: number | null;
  readonly #enter: (scope: Scope) => void;
  readonly #body: Execute;
  readonly #compilation: Compilation = newCompilation();

  /** @throws TemplateSyntaxError if the template is invalid or uses an unknown name */
  constructor(source: string, { whitespace = 'trimmed', strict = false }: TemplateOptions = {}) {
    if (source.length > LONGEST_SOURCE) {
      throw new TemplateSyntaxError(
        `the template has ${source.length} characters; at most ${LONGEST_SOURCE} are allowed`,
        0,
      );
    }
    this.#source = normalise(source, whitespace);
    this.#strict = strict;
    try {
      const body = parseTemplate(source, whitespace);
      const nodes = walk(body);
      checkNames(nodes);
      this.clockFormats = clockFormatsOf(nodes);
      this.hasGenerationBlocks = nodes.some(({ kind }) => kind === 'generation');
      this.#compileBlocks(nodes);
      const symbols = new Symbols(this.#scope);
      const readsSelf = undeclared(body, ['self']).has('self');
      this.#self = readsSelf ? symbols.declareParameter('self').index : null;
      symbols.analyse(body);
      const frame = new Frame(symbols, (at) => this.place(at).line, { toplevel: true });
      this.#enter = enter(frame);
      this.#body = this.#compilation.compileBody(body, frame);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new TemplateSyntaxError('the template is nested too deeply', 0);
    }
  }

  #compileBlocks(nodes: readonly AnyNode[]): void {
    const { blocks } = this.#compilation;
    for (const node of nodes) {
      if (node.kind !== 'block') continue;
      if (blocks.has(node.name)) {
        throw new TemplateSyntaxError(`block '${node.name}' defined twice`, node.at);
      }
      blocks.set(node.name, this.#compileBlock(node));
    }
  }

  /** A block sees only top-level names. */
  #compileBlock({ body }: Block): Execute {
    const function_ = new FunctionScope(null);
    const symbols = new Symbols(function_);
    const read = undeclared(body, ['self', 'super']);
    const self = read.has('self') ? symbols.declareParameter('self').index : null;
    const parent = read.has('super') ? symbols.declareParameter('super').index : null;
    symbols.analyse(body);
    const frame = new Frame(symbols, (at) => this.place(at).line);
    const begin = enter(frame);
    const execute = this.#compilation.compileBody(body, frame);
    return ({ context, rendering }, output) => {
      const scope = new Scope(function_.size, null, context, rendering);
      if (self !== null) scope.values[self] = this.#reference(scope);
      if (parent !== null) scope.values[parent] = undefinedBecause('there is no parent block.');
      begin(scope);
      return execute(scope, output);
    };
  }

  #reference({ context, rendering }: Scope): TemplateReference {
    return new TemplateReference(this.#compilation.blocks, context, rendering);
  }

  place(at: number): Place {
    return placeIn(this.#source, at);
  }

  /** @throws TemplateFailure if the template fails */
  render(variables: Iterable<readonly [string, Value]>, time: LocalTime): Text {
    const context = new Context(new Map([...globalsAt(time), ...variables]));
    const strict = this.#strict;
    const rendering: Rendering = { at: 0, generations: 0, message: -1, depth: 0, strict };
    const scope = new Scope(this.#scope.size, null, context, rendering);
    if (this.#self !== null) scope.values[this.#self] = this.#reference(scope);
    const output = new Output();
    try {
      withBudget(() => {
        this.#enter(scope);
        this.#body(scope, output);
      });
    } catch (error) {
      if (error instanceof PythonError) throw new TemplateFailure(error, this.place(rendering.at));
      if (error instanceof RangeError) {
        const cause = /call stack/i.test(error.message)
          ? new PythonError('RecursionError', 'maximum recursion depth exceeded')
          : new PythonError('MemoryError', 'the template creates a value that is too large');
        throw new TemplateFailure(cause, this.place(rendering.at));
      }
      throw error;
    }
    return output.build();
  }
}

const clockFormatsOf = (nodes: readonly AnyNode[]): (string | null)[] => {
  const isClock = (node: AnyNode): boolean =>
    node.kind === 'name' && node.name === 'strftime_now' && node.use === 'load';
  const calls = nodes.filter((node): node is Call => node.kind === 'call' && isClock(node.callee));
  const formats = calls.map(({ args, kwargs }) => {
    const [format] = [...args, ...kwargs.map(({ value }) => value)];
    return format?.kind === 'const' && typeof format.value === 'string' ? format.value : null;
  });
  // Testing whether strftime_now exists does not use the clock. Any other reference that is not a
  // call might.
  const tested = nodes.filter((node) => node.kind === 'test' && isClock(node.value)).length;
  const others = nodes.filter(isClock).length - calls.length - tested;
  return others > 0 ? [...formats, null] : formats;
};
