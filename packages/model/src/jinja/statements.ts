// Compiles statements to closures: what jinja2.compiler writes as Python.
import type {
  Block,
  Expression,
  FilterBlock,
  If,
  Output as OutputNode,
  SetBlock,
  SetNode,
  Statement,
  With,
} from './ast.ts';
import { type Compilation, enter, leave } from './compilation.ts';
import { PythonError, typeError } from './errors.ts';
import { accessor, compileBlockFilter, compileExpression } from './expressions.ts';
import { compileFor } from './for.ts';
import type { Frame } from './frame.ts';
import { spend } from './limits.ts';
import { compileCallBlock, compileGeneration, compileMacro } from './macros.ts';
import { truthy } from './operators.ts';
import { str } from './repr.ts';
import { capture, type Execute, nested, Scope } from './runtime.ts';
import { compileTarget } from './targets.ts';
import { isText } from './text.ts';
import { typeName, Undefined, type Value } from './values.ts';

/** Starts the compilation of a template. */
export const newCompilation = (): Compilation => {
  const compilation: Compilation = {
    blocks: new Map(),
    compileBody: (body, frame) => compileBody(body, frame, compilation),
  };
  return compilation;
};

const compileBody = (
  body: readonly Statement[],
  frame: Frame,
  compilation: Compilation,
): Execute => {
  const steps = body.map((statement) => compileStatement(statement, frame, compilation));
  return (scope, output) => {
    for (const step of steps) {
      spend(1);
      const ending = step(scope, output);
      if (ending !== 'next') return ending;
    }
    return 'next';
  };
};

const compileStatement = (node: Statement, frame: Frame, compilation: Compilation): Execute => {
  switch (node.kind) {
    case 'output':
      return compileOutput(node, frame);
    case 'if':
      return compileIf(node, frame, compilation);
    case 'for':
      return compileFor(node, frame, compilation);
    case 'set':
      return compileSet(node, frame);
    case 'set-block':
      return compileSetBlock(node, frame, compilation);
    case 'with':
      return compileWith(node, frame, compilation);
    case 'macro':
      return compileMacro(node, frame, compilation);
    case 'call-block':
      return compileCallBlock(node, frame, compilation);
    case 'generation':
      return compileGeneration(node, frame, compilation);
    case 'filter-block':
      return compileFilterBlock(node, frame, compilation);
    case 'block':
      return compileBlock(node, frame, compilation);
    case 'break':
    case 'continue':
      frame.ensureLoop(node.kind, node.at);
      return () => node.kind as 'break' | 'continue';
  }
};

const compileOutput = ({ items }: OutputNode, frame: Frame): Execute => {
  const steps = items.map((item): Execute => {
    if (item.kind === 'data') {
      const { text } = item;
      return (_, output) => {
        output.add(text);
        return 'next';
      };
    }
    const evaluate = compileExpression(item, frame);
    const { at } = item;
    return (scope, output) => {
      const value = evaluate(scope);
      if (typeof value === 'string') output.add(value);
      else {
        scope.rendering.at = at;
        if (scope.rendering.strict && value instanceof Undefined) throw value.error();
        output.add(str(value));
      }
      return 'next';
    };
  });
  return (scope, output) => {
    for (const step of steps) step(scope, output);
    return 'next';
  };
};

const compileIf = (
  { branches, otherwise }: If,
  frame: Frame,
  compilation: Compilation,
): Execute => {
  const steps = branches.map(({ test, body }) => ({
    test: compileExpression(test, frame),
    body: compileBody(body, frame, compilation),
  }));
  const rest = compileBody(otherwise, frame, compilation);
  return (scope, output) => {
    for (const { test, body } of steps) {
      if (truthy(test(scope))) return body(scope, output);
    }
    return rest(scope, output);
  };
};

/** After an assignment at the top level, updates what the template's blocks see. */
const publish = (target: Expression, frame: Frame): ((scope: Scope) => void) => {
  if (!frame.toplevel) return () => {};
  const names = namesIn(target).map((name) => ({
    name,
    read: accessor(frame.symbols.findRef(name)!, frame).read,
  }));
  return (scope) => {
    for (const { name, read } of names) scope.context.variables.set(name, read(scope)!);
  };
};

const namesIn = (target: Expression): string[] => {
  if (target.kind === 'name') return [target.name];
  return target.kind === 'tuple' ? target.items.flatMap(namesIn) : [];
};

const compileSet = ({ target, value, at }: SetNode, frame: Frame): Execute => {
  const { check, assign } = compileTarget(target, frame);
  const evaluate = compileExpression(value, frame);
  const done = publish(target, frame);
  return (scope) => {
    scope.rendering.at = at;
    check(scope);
    const result = evaluate(scope);
    scope.rendering.at = at;
    assign(scope, result);
    done(scope);
    return 'next';
  };
};

const compileSetBlock = (
  { target, filter, body, at }: SetBlock,
  frame: Frame,
  compilation: Compilation,
): Execute => {
  const block = frame.inner();
  block.symbols.analyse(body);
  const begin = enter(block);
  const end = leave(block);
  const execute = compileBody(body, block, compilation);
  const { assign } = compileTarget(target, frame);
  const apply = filter === null ? null : compileBlockFilter(filter, block);
  const done = publish(target, frame);
  return (scope) => {
    begin(scope);
    const { text, ending } = capture(scope, execute);
    if (ending !== 'next') return ending;
    const value = apply === null ? text : apply(scope, text);
    scope.rendering.at = at;
    assign(scope, value);
    done(scope);
    end(scope);
    return 'next';
  };
};

const compileWith = (
  { targets, values, body }: With,
  frame: Frame,
  compilation: Compilation,
): Execute => {
  const inner = frame.inner();
  inner.symbols.analyse([...targets, ...body]);
  const begin = enter(inner);
  const end = leave(inner);
  const steps = targets.map((target, index) => ({
    assign: compileTarget(target, inner).assign,
    value: compileExpression(values[index]!, frame),
  }));
  const execute = compileBody(body, inner, compilation);
  return (scope, output) => {
    begin(scope);
    for (const { assign, value } of steps) assign(scope, value(scope));
    const ending = execute(scope, output);
    if (ending === 'next') end(scope);
    return ending;
  };
};

const compileFilterBlock = (
  { filter, body, at }: FilterBlock,
  frame: Frame,
  compilation: Compilation,
): Execute => {
  const inner = frame.inner();
  inner.symbols.analyse([...body, filter]);
  const begin = enter(inner);
  const end = leave(inner);
  const execute = compileBody(body, inner, compilation);
  const apply = compileBlockFilter(filter, inner);
  return (scope, output) => {
    begin(scope);
    const { text, ending } = capture(scope, execute);
    if (ending !== 'next') return ending;
    scope.rendering.at = at;
    const filtered = apply(scope, text);
    // Python joins what is printed, and a filter block is not converted before.
    if (!isText(filtered)) {
      throw typeError(`sequence item 0: expected str instance, ${typeName(filtered)} found`);
    }
    output.add(filtered);
    end(scope);
    return 'next';
  };
};

const compileBlock = (
  { name, scoped, required, at }: Block,
  frame: Frame,
  { blocks }: Compilation,
): Execute => {
  const stored = scoped ? [...frame.symbols.storedNames()] : [];
  const reads = stored.map(([key, slot]) => ({ key, read: accessor(slot, frame).read }));
  return (scope, output) => {
    scope.rendering.at = at;
    if (required)
      throw new PythonError('TemplateRuntimeError', `Required block '${name}' not found`);
    const { context, rendering } = scope;
    const names = new Map<string, Value>();
    for (const { key, read } of reads) {
      const value = read(scope);
      if (value !== undefined) names.set(key, value);
    }
    const inner = scoped ? context.derived(names) : context;
    nested(rendering, () => blocks.get(name)!(new Scope(0, null, inner, rendering), output));
    return 'next';
  };
};
