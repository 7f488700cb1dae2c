// What the compilation of every statement shares: the template's blocks, and a frame's variables.
import type { Statement } from './ast.ts';
import { accessor } from './expressions.ts';
import type { Frame } from './frame.ts';
import type { Execute, Scope } from './runtime.ts';

/** The blocks of a template by name, while it is rendered. */
export type Blocks = Map<string, Execute>;

export interface Compilation {
  readonly blocks: Blocks;
  /** Compiles the statements inside another. @throws TemplateSyntaxError */
  compileBody(body: readonly Statement[], frame: Frame): Execute;
}

/** Gives the variables of a frame their initial values. */
export const enter = (frame: Frame): ((scope: Scope) => void) => {
  const steps = [...frame.symbols.loads].flatMap(([slot, load]) => {
    const { write } = accessor(slot, frame);
    if (load.how === 'parameter') return [];
    if (load.how === 'missing') return [(scope: Scope) => write(scope, undefined)];
    if (load.how === 'resolve') {
      const { name } = load;
      return [(scope: Scope) => write(scope, scope.context.resolve(name))];
    }
    const { read } = accessor(load.of, frame);
    return [(scope: Scope) => write(scope, read(scope))];
  });
  return (scope) => {
    for (const step of steps) step(scope);
  };
};

/** Clears the variables of a frame. */
export const leave = (frame: Frame): ((scope: Scope) => void) => {
  const writes = [...frame.symbols.loads.keys()].map((slot) => accessor(slot, frame).write);
  return (scope) => {
    for (const write of writes) write(scope, undefined);
  };
};
