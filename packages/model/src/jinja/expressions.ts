// Compiles expressions to closures.
import type { Arguments, Call, Compare, Expression, Filter, Item, Test } from './ast.ts';
import { binary, unary } from './binary.ts';
import { call } from './call.ts';
import { TemplateSyntaxError, typeError } from './errors.ts';
import { filters } from './filters.ts';
import type { Frame } from './frame.ts';
import { spend } from './limits.ts';
import { getAttribute, getItem } from './lookup.ts';
import { compare, contains, equals, iterate, truthy } from './operators.ts';
import { str } from './repr.ts';
import { type Evaluate, type Scope, undefinedName } from './runtime.ts';
import { slice } from './subscript.ts';
import type { Slot } from './symbols.ts';
import { tests } from './tests.ts';
import { concat, isText, type Text, textOf } from './text.ts';
import {
  Dict,
  type Kwargs,
  List,
  noKwargs,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

/** Reads and writes a variable of the current function or of one that encloses it. */
export const accessor = (
  slot: Slot,
  frame: Frame,
): {
  read: (scope: Scope) => Value | undefined;
  write: (scope: Scope, value: Value | undefined) => void;
} => {
  const hops = frame.scope.depth - slot.scope.depth;
  const { index } = slot;
  const owner = (scope: Scope): Scope => {
    let found = scope;
    for (let hop = 0; hop < hops; hop++) found = found.parent!;
    return found;
  };
  if (hops === 0) {
    return {
      read: (scope) => scope.values[index],
      write: (scope, value) => {
        scope.values[index] = value;
      },
    };
  }
  return {
    read: (scope) => owner(scope).values[index],
    write: (scope, value) => {
      owner(scope).values[index] = value;
    },
  };
};

/** @throws TemplateSyntaxError */
export const compileExpression = (node: Expression, frame: Frame): Evaluate => {
  switch (node.kind) {
    case 'const': {
      const { value } = node;
      return () => value;
    }
    case 'name':
      return readName(node.name, frame, node.at);
    case 'tuple': {
      const items = node.items.map((item) => compileExpression(item, frame));
      return (scope) => new Tuple(items.map((item) => item(scope)));
    }
    case 'list': {
      const items = node.items.map((item) => compileExpression(item, frame));
      return (scope) => new List(items.map((item) => item(scope)));
    }
    case 'dict': {
      const entries = node.entries.map(
        ({ key, value }) =>
          [compileExpression(key, frame), compileExpression(value, frame)] as const,
      );
      return (scope) => {
        const made = entries.map(([key, value]) => [key(scope), value(scope)] as const);
        scope.rendering.at = node.at;
        return new Dict(made);
      };
    }
    case 'conditional':
      return conditional(node, frame);
    case 'binary': {
      const [left, right] = [
        compileExpression(node.left, frame),
        compileExpression(node.right, frame),
      ];
      const { operator, at } = node;
      return (scope) => {
        const a = left(scope);
        const b = right(scope);
        scope.rendering.at = at;
        return binary(operator, a, b);
      };
    }
    case 'logical': {
      const [left, right] = [
        compileExpression(node.left, frame),
        compileExpression(node.right, frame),
      ];
      const stopsAt = node.operator === 'or';
      return (scope) => {
        const value = left(scope);
        return truthy(value) === stopsAt ? value : right(scope);
      };
    }
    case 'unary': {
      const value = compileExpression(node.value, frame);
      const { operator, at } = node;
      if (operator === 'not') return (scope) => !truthy(value(scope));
      return (scope) => {
        const operand = value(scope);
        scope.rendering.at = at;
        return unary(operator, operand);
      };
    }
    case 'concat': {
      const items = node.items.map((item) => compileExpression(item, frame));
      return (scope) => {
        const values = items.map((item) => item(scope));
        scope.rendering.at = node.at;
        return concat(values.map(str));
      };
    }
    case 'compare':
      return comparison(node, frame);
    case 'attribute': {
      const value = compileExpression(node.value, frame);
      const { name, at } = node;
      return (scope) => {
        const object = value(scope);
        scope.rendering.at = at;
        return getAttribute(object, name);
      };
    }
    case 'item':
      return item(node, frame);
    case 'call':
      return compileCall(node, frame);
    case 'filter':
    case 'test':
      return filterOrTest(node, frame);
    default:
      throw new TemplateSyntaxError(`a ${node.kind} is not allowed here`, node.at);
  }
};

const readName = (name: string, frame: Frame, at: number): Evaluate => {
  const slot = frame.symbols.findRef(name);
  if (slot === undefined) {
    // jinja2 fails here too: it does not track names in the filters of a {% set %} block.
    throw new TemplateSyntaxError(`the name '${name}' cannot be used here`, at);
  }
  const { read } = accessor(slot, frame);
  return (scope) => {
    const value = read(scope);
    return value === undefined ? undefinedName(name) : value;
  };
};

const conditional = (
  { test, then, otherwise, at }: Extract<Expression, { kind: 'conditional' }>,
  frame: Frame,
): Evaluate => {
  const [condition, value] = [compileExpression(test, frame), compileExpression(then, frame)];
  if (otherwise !== null) {
    const other = compileExpression(otherwise, frame);
    return (scope) => (truthy(condition(scope)) ? value(scope) : other(scope));
  }
  const absent = (): Undefined =>
    new Undefined(
      () =>
        `the inline if-expression on line ${frame.lineOf(at)} evaluated to false and no else section was defined.`,
    );
  return (scope) => (truthy(condition(scope)) ? value(scope) : absent());
};

const comparators: Record<string, (a: Value, b: Value) => boolean> = {
  '==': equals,
  '!=': (a, b) => !equals(a, b),
  '<': (a, b) => compare('<', a, b),
  '<=': (a, b) => compare('<=', a, b),
  '>': (a, b) => compare('>', a, b),
  '>=': (a, b) => compare('>=', a, b),
  in: (a, b) => contains(b, a),
  'not in': (a, b) => !contains(b, a),
};

const comparison = ({ first, rest, at }: Compare, frame: Frame): Evaluate => {
  const start = compileExpression(first, frame);
  const steps = rest.map(({ operator, value }) => ({
    holds: comparators[operator]!,
    value: compileExpression(value, frame),
  }));
  return (scope) => {
    let left = start(scope);
    for (const { holds, value } of steps) {
      const right = value(scope);
      scope.rendering.at = at;
      if (!holds(left, right)) return false;
      left = right;
    }
    return true;
  };
};

const item = ({ value, key, at }: Item, frame: Frame): Evaluate => {
  const object = compileExpression(value, frame);
  if (key.kind !== 'slice') {
    const index = compileExpression(key, frame);
    return (scope) => {
      const container = object(scope);
      const wanted = index(scope);
      scope.rendering.at = at;
      return getItem(container, wanted);
    };
  }
  const bound = (node: Expression | null): Evaluate =>
    node === null ? () => null : compileExpression(node, frame);
  const [start, stop, step] = [bound(key.start), bound(key.stop), bound(key.step)];
  return (scope) => {
    const container = object(scope);
    const bounds = { start: start(scope), stop: stop(scope), step: step(scope) };
    scope.rendering.at = at;
    return slice(container, bounds);
  };
};

type EvaluateArguments = (scope: Scope) => { args: Value[]; kwargs: Kwargs };

const compileArguments = (
  { args, kwargs, moreArgs, moreKwargs }: Arguments,
  frame: Frame,
): EvaluateArguments => {
  const values = args.map((arg) => compileExpression(arg, frame));
  const named = kwargs.map(({ name, value }) => ({ name, value: compileExpression(value, frame) }));
  const rest = moreArgs === null ? null : compileExpression(moreArgs, frame);
  const restNamed = moreKwargs === null ? null : compileExpression(moreKwargs, frame);
  if (named.length === 0 && rest === null && restNamed === null) {
    return (scope) => ({ args: values.map((value) => value(scope)), kwargs: noKwargs });
  }
  return (scope) => {
    const all = values.map((value) => value(scope));
    if (rest !== null) all.push(...iterate(rest(scope)));
    const names = new Map(named.map(({ name, value }) => [name, value(scope)]));
    if (restNamed !== null) addNamed(names, restNamed(scope));
    return { args: all, kwargs: names };
  };
};

const addNamed = (names: Map<string, Value>, more: Value): void => {
  if (!(more instanceof Dict)) {
    throw typeError(`argument after ** must be a mapping, not ${typeName(more)}`);
  }
  for (const [key, value] of more.entries()) {
    if (!isText(key)) throw typeError('keywords must be strings');
    const name = textOf(key);
    if (names.has(name)) throw typeError(`got multiple values for keyword argument '${name}'`);
    names.set(name, value);
  }
};

/** Compiles a call. A call block passes `caller` as an extra argument. */
export const compileCall = (node: Call, frame: Frame, caller?: Evaluate): Evaluate => {
  const callee = compileExpression(node.callee, frame);
  const evaluate = compileArguments(node, frame);
  const { at } = node;
  return (scope) => {
    const target = callee(scope);
    const { args, kwargs } = evaluate(scope);
    const named = caller === undefined ? kwargs : new Map([...kwargs, ['caller', caller(scope)]]);
    scope.rendering.at = at;
    return call(target, args, named);
  };
};

const filterOrTest = (node: Filter | Test, frame: Frame): Evaluate => {
  if (node.value === null) throw new TemplateSyntaxError('a filter needs a value', node.at);
  return applied(node, compileExpression(node.value, frame), frame);
};

/** Applies a filter or test to the result of `value`. */
const applied = (node: Filter | Test, value: Evaluate, frame: Frame): Evaluate => {
  const table = node.kind === 'filter' ? filters : tests;
  const apply = table.get(node.name);
  const evaluate = compileArguments(node, frame);
  const { at } = node;
  if (apply === undefined) {
    // The template tests for the name first; otherwise checkNames() has refused it.
    return (scope) => {
      scope.rendering.at = at;
      throw typeError(`No ${node.kind} named '${node.name}' found.`);
    };
  }
  return (scope) => {
    const operand = value(scope);
    const { args, kwargs } = evaluate(scope);
    scope.rendering.at = at;
    spend(1);
    return apply([operand, ...args], kwargs);
  };
};

/** Compiles a chain of filters that applies to a block's text. */
export const compileBlockFilter = (
  node: Filter,
  frame: Frame,
): ((scope: Scope, text: Text) => Value) => {
  const chain: Filter[] = [];
  for (let filter: Expression | null = node; filter?.kind === 'filter'; filter = filter.value) {
    chain.unshift(filter);
  }
  let current: Text = '';
  let evaluate: Evaluate = () => current;
  for (const filter of chain) evaluate = applied(filter, evaluate, frame);
  return (scope, text) => {
    current = text;
    return evaluate(scope);
  };
};
