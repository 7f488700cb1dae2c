// Compiles macros and the blocks that work like them.
import type { CallBlock, GenerationBlock, MacroNode } from './ast.ts';
import { type Compilation, enter } from './compilation.ts';
import { TemplateSyntaxError } from './errors.ts';
import { accessor, compileCall, compileExpression } from './expressions.ts';
import type { Frame } from './frame.ts';
import { Macro, type MacroShape } from './macro.ts';
import { str } from './repr.ts';
import { capture, type Execute, nested, Scope, undefinedBecause } from './runtime.ts';
import { FunctionScope, type Slot, undeclared } from './symbols.ts';
import { inGeneration } from './text.ts';
import type { Value } from './values.ts';

type MakeMacro = (scope: Scope) => Macro;

/** Compiles the body and signature of a macro or call block. */
const compileMacroBody = (
  node: MacroNode | CallBlock | GenerationBlock,
  frame: Frame,
  compilation: Compilation,
): MakeMacro => {
  const { parameters, defaults, body } = node;
  const inner = frame.inner(new FunctionScope(frame.scope));
  const { symbols } = inner;
  symbols.analyse([...parameters, ...defaults, ...body]);
  const read = undeclared(body, ['caller', 'kwargs', 'varargs']);
  const names = parameters.map(({ name }) => name);
  const slots: Slot[] = names.map((name) => symbols.findRef(name)!);
  const explicit = names.indexOf('caller');
  if (read.has('caller')) {
    if (explicit < 0) slots.push(symbols.declareParameter('caller'));
    else if (explicit < names.length - defaults.length) {
      throw new TemplateSyntaxError(
        'When defining macros or call blocks the special "caller" argument must be omitted or be given a default.',
        node.at,
      );
    }
  }
  const shape: MacroShape = {
    name: node.kind === 'macro' ? node.name : null,
    parameters: names,
    usesCaller: read.has('caller'),
    catchesKwargs: read.has('kwargs') && !names.includes('kwargs'),
    catchesVarargs: read.has('varargs') && !names.includes('varargs'),
  };
  if (shape.catchesKwargs) slots.push(symbols.declareParameter('kwargs'));
  if (shape.catchesVarargs) slots.push(symbols.declareParameter('varargs'));
  symbols.analyse([...parameters, ...defaults, ...body]);
  const begin = enter(inner);
  const fallbacks = names.map((name, index) => {
    const node = defaults[index - names.length + defaults.length];
    if (node !== undefined) return compileExpression(node, inner);
    return () => undefinedBecause(`parameter '${name}' was not provided`);
  });
  const execute = compilation.compileBody(body, inner);
  return (outer) => {
    const invoke = (args: readonly (Value | undefined)[]): Value =>
      nested(outer.rendering, () => {
        const scope = new Scope(inner.scope.size, outer, outer.context, outer.rendering);
        slots.forEach(({ index }, position) => {
          scope.values[index] = args[position];
        });
        begin(scope);
        fallbacks.forEach((fallback, position) => {
          const { index } = slots[position]!;
          if (scope.values[index] === undefined) scope.values[index] = fallback(scope);
        });
        return capture(scope, execute).text;
      });
    return new Macro(shape, invoke);
  };
};

export const compileMacro = (node: MacroNode, frame: Frame, compilation: Compilation): Execute => {
  const make = compileMacroBody(node, frame, compilation);
  const { write } = accessor(frame.symbols.findRef(node.name)!, frame);
  return (scope) => {
    const macro = make(scope);
    write(scope, macro);
    if (frame.toplevel) scope.context.variables.set(node.name, macro);
    return 'next';
  };
};

export const compileCallBlock = (
  node: CallBlock,
  frame: Frame,
  compilation: Compilation,
): Execute => {
  const caller = compileMacroBody(node, frame, compilation);
  const call = compileCall(node.call, frame, caller);
  return (scope, output) => {
    output.add(str(call(scope)));
    return 'next';
  };
};

/** Compiles a {% generation %} block, which works like a call block whose text is marked. */
export const compileGeneration = (
  node: GenerationBlock,
  frame: Frame,
  compilation: Compilation,
): Execute => {
  const make = compileMacroBody(node, frame, compilation);
  return (scope, output) => {
    const text = str(make(scope).call([], new Map()));
    scope.rendering.generations++;
    output.add(inGeneration(text, scope.rendering.generations, scope.rendering.message));
    return 'next';
  };
};
