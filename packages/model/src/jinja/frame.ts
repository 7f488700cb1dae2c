import { TemplateSyntaxError } from './errors.ts';
import { type FunctionScope, Symbols } from './symbols.ts';

/** Compile-time state of one scope of a template: a port of jinja2.compiler.Frame. */
export class Frame {
  readonly symbols: Symbols;
  /** Whether assignments are visible in the template's blocks. */
  readonly toplevel: boolean;
  /** Whether a break or continue is inside a loop of the same function. */
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

  /** A nested frame, in the same function or in another. */
  inner(scope = this.scope, inLoop = scope === this.scope && this.inLoop): Frame {
    return new Frame(new Symbols(scope, this.symbols), this.lineOf, { inLoop });
  }

  ensureLoop(kind: string, at: number): void {
    if (!this.inLoop) throw new TemplateSyntaxError(`'${kind}' outside of a loop`, at);
  }
}
