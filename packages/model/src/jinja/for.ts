import { type Expression, type For, walk } from './ast.ts';
import { type Compilation, enter, leave } from './compilation.ts';
import { TemplateSyntaxError } from './errors.ts';
import { accessor, compileExpression } from './expressions.ts';
import type { Frame } from './frame.ts';
import { spend } from './limits.ts';
import { LoopContext } from './loop.ts';
import { iterate, truthy } from './operators.ts';
import { capture, type Evaluate, type Execute, nested, type Output, Scope } from './runtime.ts';
import { FunctionScope, usesLoop } from './symbols.ts';
import { compileTarget } from './targets.ts';
import type { Text } from './text.ts';
import { Dict, PyIterator, Tuple, type Value } from './values.ts';

/** @throws TemplateSyntaxError */
export const compileFor = (node: For, frame: Frame, compilation: Compilation): Execute => {
  for (const child of walk([node])) {
    if (child.kind === 'name' && child.use === 'store' && child.name === 'loop') {
      throw new TemplateSyntaxError(
        "Can't assign to special loop variable in for-loop target",
        child.at,
      );
    }
  }
  const values = compileExpression(node.values, frame);
  return node.recursive
    ? compileRecursive(node, frame, compilation, values)
    : compilePlain(node, frame, compilation, values);
};

const compilePlain = (
  node: For,
  frame: Frame,
  compilation: Compilation,
  values: Evaluate,
): Execute => {
  const loop = compileLoop(node, frame, frame.scope, compilation);
  const rest = compileElse(node, frame, frame.scope, compilation);
  return (scope, output) => {
    const iterable = values(scope);
    scope.rendering.at = node.at;
    return loop(scope, output, iterable, null) ? 'next' : rest(scope, output);
  };
};

/** jinja2 compiles a recursive loop to a function, which `loop(…)` calls again. */
const compileRecursive = (
  node: For,
  frame: Frame,
  compilation: Compilation,
  values: Evaluate,
): Execute => {
  const inner = new FunctionScope(frame.scope);
  const loop = compileLoop(node, frame, inner, compilation);
  const rest = compileElse(node, frame, inner, compilation);
  return (outer, output) => {
    const run = (iterable: Value, depth: number): Value =>
      nested(outer.rendering, () => {
        const scope = new Scope(inner.size, outer, outer.context, outer.rendering);
        const { text } = capture(scope, (own, captured) =>
          loop(own, captured, iterable, { run, depth }) ? 'next' : rest(own, captured),
        );
        return text;
      });
    const iterable = values(outer);
    outer.rendering.at = node.at;
    const text = run(iterable, 0);
    output.add(text as Text);
    return 'next';
  };
};

interface Recursion {
  run: (values: Value, depth: number) => Value;
  depth: number;
}

type Loop = (scope: Scope, output: Output, values: Value, recursion: Recursion | null) => boolean;

/** Compiles the loop itself, which returns whether its body completed at least once. */
const compileLoop = (
  node: For,
  frame: Frame,
  scope: FunctionScope,
  compilation: Compilation,
): Loop => {
  const inner = frame.inner(scope, true);
  const isScoped = walk([node]).some((child) => child.kind === 'block' && child.scoped);
  const loopSlot = usesLoop(node) || isScoped ? inner.symbols.declareParameter('loop') : null;
  inner.symbols.analyseTarget(node.target);
  inner.symbols.analyse(node.body);
  const select = node.test === null ? null : compileTest(node.target, node.test, frame, scope);
  const { assign } = compileTarget(node.target, inner);
  const begin = enter(inner);
  const end = leave(inner);
  const execute = compilation.compileBody(node.body, inner);
  const setLoop = loopSlot === null ? null : accessor(loopSlot, inner).write;
  return (own, output, values, recursion) => {
    const selected = select === null ? values : select(own, values);
    const context =
      setLoop === null
        ? null
        : new LoopContext(selected, recursion?.run ?? null, recursion?.depth ?? 0);
    const next = context === null ? nextOf(selected) : () => context.next();
    let ran = false;
    const { message } = own.rendering;
    for (let value = next(); value !== undefined; value = next()) {
      own.rendering.at = node.at;
      spend(1);
      assign(own, value);
      if (value instanceof Dict && value.origin?.field === '') {
        own.rendering.message = value.origin.message;
      }
      if (setLoop !== null) setLoop(own, context!);
      begin(own);
      const ending = execute(own, output);
      // As in jinja2, an iteration that ends early does not prevent the else branch.
      if (ending === 'break') break;
      if (ending === 'next') ran = true;
      own.rendering.at = node.at;
    }
    own.rendering.message = message;
    end(own);
    return ran;
  };
};

const nextOf = (values: Value): (() => Value | undefined) => {
  const iterator = iterate(values)[Symbol.iterator]();
  return () => {
    const next = iterator.next();
    return next.done ? undefined : next.value;
  };
};

/** Compiles a loop's `if` to a generator of the values that pass. */
const compileTest = (
  target: Expression,
  test: Expression,
  frame: Frame,
  outer: FunctionScope,
): ((scope: Scope, values: Value) => PyIterator) => {
  const scope = new FunctionScope(outer);
  const inner = frame.inner(scope, false);
  inner.symbols.analyseTarget(target);
  inner.symbols.analyse([test]);
  const { assign } = compileTarget(target, inner);
  const begin = enter(inner);
  const passes = compileExpression(test, inner);
  const again = compileAgain(target, inner);
  function* selected(parent: Scope, values: Value): Generator<Value> {
    const own = new Scope(scope.size, parent, parent.context, parent.rendering);
    begin(own);
    const next = nextOf(values);
    for (let value = next(); value !== undefined; value = next()) {
      assign(own, value);
      if (truthy(passes(own))) yield again(own);
    }
  }
  return (parent, values) => new PyIterator(selected(parent, values));
};

/** Reads an assigned target back as a value. */
const compileAgain = (target: Expression, frame: Frame): Evaluate => {
  if (target.kind === 'tuple') {
    const items = target.items.map((item) => compileAgain(item, frame));
    return (scope) => new Tuple(items.map((item) => item(scope)));
  }
  if (target.kind !== 'name') throw new TemplateSyntaxError('cannot loop over this', target.at);
  const { read } = accessor(frame.symbols.findRef(target.name)!, frame);
  return (scope) => read(scope)!;
};

const compileElse = (
  { otherwise }: For,
  frame: Frame,
  scope: FunctionScope,
  compilation: Compilation,
): Execute => {
  if (otherwise.length === 0) return () => 'next';
  const inner = frame.inner(scope);
  inner.symbols.analyse(otherwise);
  const begin = enter(inner);
  const end = leave(inner);
  const execute = compilation.compileBody(otherwise, inner);
  return (own, output) => {
    begin(own);
    const ending = execute(own, output);
    if (ending === 'next') end(own);
    return ending;
  };
};
