import type { Expression } from './ast.ts';
import { PythonError, TemplateSyntaxError, typeError, valueError } from './errors.ts';
import { accessor } from './expressions.ts';
import type { Frame } from './frame.ts';
import { tryIterate } from './operators.ts';
import type { Scope } from './runtime.ts';
import { Namespace, typeName, type Value } from './values.ts';

interface Target {
  /** Checks that attributes are set only on namespaces, before the value is evaluated. */
  check: (scope: Scope) => void;
  assign: (scope: Scope, value: Value) => void;
}

/** @throws TemplateSyntaxError if the node cannot be assigned to */
export const compileTarget = (node: Expression, frame: Frame): Target => {
  switch (node.kind) {
    case 'name': {
      const { write } = accessor(frame.symbols.findRef(node.name)!, frame);
      return { check: () => {}, assign: write };
    }
    case 'namespace-ref': {
      const { read } = accessor(frame.symbols.findRef(node.name)!, frame);
      const { attribute } = node;
      const namespace = (scope: Scope): Namespace => {
        const value = read(scope);
        if (value instanceof Namespace) return value;
        throw new PythonError(
          'TemplateRuntimeError',
          'cannot assign attribute on non-namespace object',
        );
      };
      return {
        check: namespace,
        assign: (scope, value) => namespace(scope).attributes.set(attribute, value),
      };
    }
    case 'tuple': {
      const parts = node.items.map((item) => compileTarget(item, frame));
      return {
        check: (scope) => {
          for (const { check } of parts) check(scope);
        },
        assign: (scope, value) => {
          const values = unpack(value, parts.length);
          parts.forEach(({ assign }, index) => {
            assign(scope, values[index]!);
          });
        },
      };
    }
    default:
      throw new TemplateSyntaxError(`can't assign to '${node.kind}'`, node.at);
  }
};

const unpack = (value: Value, count: number): Value[] => {
  const values = tryIterate(value);
  if (values === undefined) throw typeError(`cannot unpack non-iterable ${typeName(value)} object`);
  const taken: Value[] = [];
  const iterator = values[Symbol.iterator]();
  for (let next = iterator.next(); !next.done; next = iterator.next()) {
    if (taken.length === count) throw valueError(`too many values to unpack (expected ${count})`);
    taken.push(next.value);
  }
  if (taken.length === count) return taken;
  throw valueError(`not enough values to unpack (expected ${count}, got ${taken.length})`);
};
