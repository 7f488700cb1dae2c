// Unknown filters, tests and functions are compile-time errors, even in branches that never run.
import type { AnyNode } from './ast.ts';
import { TemplateSyntaxError } from './errors.ts';
import { filters, refusedFilters } from './filters.ts';
import { globalNames } from './globals.ts';
import { tests } from './tests.ts';

// Filters that take the name of another filter or test as an argument, and that argument's index.
const byName = new Map<string, { kind: 'filter' | 'test'; index: number }>([
  ['map', { kind: 'filter', index: 0 }],
  ['select', { kind: 'test', index: 0 }],
  ['reject', { kind: 'test', index: 0 }],
  ['selectattr', { kind: 'test', index: 1 }],
  ['rejectattr', { kind: 'test', index: 1 }],
]);

/**
 * @throws TemplateSyntaxError for an unknown filter, test or function, unless the template tests
 *   for it
 */
export const checkNames = (nodes: readonly AnyNode[]): void => {
  const guarded = guards(nodes);
  const assigned = assignedNames(nodes);
  const check = (kind: 'filter' | 'test', name: string, at: number): void => {
    const table = kind === 'filter' ? filters : tests;
    if (!table.has(name) && !guarded.has(`${kind} ${name}`)) throw unknown(kind, name, at);
  };
  for (const node of nodes) {
    if (node.kind === 'filter' || node.kind === 'test') {
      check(node.kind, node.name, node.at);
      const named = node.kind === 'filter' ? byName.get(node.name) : undefined;
      const argument = named === undefined ? undefined : node.args[named.index];
      if (named !== undefined && argument?.kind === 'const' && typeof argument.value === 'string') {
        check(named.kind, argument.value, argument.at);
      }
    }
    if (node.kind === 'call' && node.callee.kind === 'name') {
      const { name, at } = node.callee;
      if (!assigned.has(name) && !guarded.has(`name ${name}`)) {
        throw new TemplateSyntaxError(unknownFunction(name), at);
      }
    }
  }
};

const unknown = (kind: 'filter' | 'test', name: string, at: number): TemplateSyntaxError => {
  const reason = kind === 'filter' ? refusedFilters.get(name) : undefined;
  return new TemplateSyntaxError(
    reason === undefined
      ? `No ${kind} named '${name}'.`
      : `the filter '${name}' is not supported: ${reason}`,
    at,
  );
};

const unknownFunction = (name: string): string =>
  name === 'lipsum'
    ? "the function 'lipsum' is not supported: its result is random"
    : `there is no function named '${name}'`;

/**
 * Names that the template tests for before it uses them: `'x' is filter`, `'x' is test`,
 * `x is defined`, `x is callable`.
 */
const guards = (nodes: readonly AnyNode[]): Set<string> => {
  const found = new Set<string>();
  for (const node of nodes) {
    if (node.kind !== 'test') continue;
    const { name, value } = node;
    if ((name === 'filter' || name === 'test') && value.kind === 'const') {
      found.add(`${name} ${String(value.value)}`);
    }
    if (['defined', 'undefined', 'callable'].includes(name) && value.kind === 'name') {
      found.add(`name ${value.name}`);
    }
  }
  return found;
};

/** Names that may hold a function: globals and names that the template sets. */
const assignedNames = (nodes: readonly AnyNode[]): Set<string> => {
  const names = new Set([...globalNames, 'caller', 'loop', 'self', 'super', 'varargs', 'kwargs']);
  for (const node of nodes) {
    if (node.kind === 'name' && node.use !== 'load') names.add(node.name);
    if (node.kind === 'macro') names.add(node.name);
  }
  return names;
};
