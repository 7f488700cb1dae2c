import { TemplateSyntaxError } from './errors.ts';
import { type FunctionScope, Symbols } from './symbols.ts';

/** What is known at one place of a template while it is compiled: a port of jinja2.compiler.Frame. */
export class Frame {
  readonly symbols: Symbols;
  /** Assignments are the template's own variables, which its blocks see. */
  readonly toplevel: boolean;
  /** Whether a break or continue has a loop here: one of the same function. */
  readonly inLoop: boolean;
  readonly lineOf: (at: number) => number;

  constructor(
    symbols: Symbols,
    lineOf: (at: number) => number,
    { toplevel = false, inLoop = false } = {},
  ) {
    this.symbols = symbols;
    this.lineOf = lineOf;
    this.toplevel = toplevel;
    this.inLoop = inLoop;
  }

  get scope(): FunctionScope {
    return this.symbols.scope;
  }

  /** A frame within this one, of the same function or of another. */
  inner(scope = this.scope, inLoop = scope === this.scope && this.inLoop): Frame {
    return new Frame(new Symbols(scope, this.symbols), this.lineOf, { inLoop });
  }

  ensureLoop(kind: string, at: number): void {
    if (!this.inLoop) throw new TemplateSyntaxError(`'${kind}' outside of a loop`, at);
  }
}
