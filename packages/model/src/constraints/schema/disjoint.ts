// Whether no value can match two schemas, as far as it can be told from their types, values, bounds
// and required properties.
import { accepts, itemSchema, propertySchemas, sameValue } from './accepts.ts';
import type { SchemaObject } from './keywords.ts';
import type { Conjunction, Located, SchemaDocument } from './schema-document.ts';
import { typesOf, type ValueType } from './types-of.ts';

/** Depth at which properties are no longer compared. */
const DEEPEST = 8;

export function areDisjoint(
  document: SchemaDocument,
  a: readonly Located[],
  b: readonly Located[],
  depth = 0,
): boolean {
  if (depth > DEEPEST) return false;
  const own = (x: Located, y: Located): boolean => areDisjoint(document, [x], [y], depth + 1);
  const left = document.alternatives(a, own);
  const right = document.alternatives(b, own);
  return left.every((x) => right.every((y) => conjunctionsDisjoint(document, x, y, depth)));
}

function conjunctionsDisjoint(
  document: SchemaDocument,
  a: Conjunction,
  b: Conjunction,
  depth: number,
): boolean {
  const both = [...a, ...b];
  const types = typesOf(both);
  if (types.size === 0) return true;
  const values = possibleValues(both);
  if (values !== null) {
    return !values.some((value) => both.every((one) => accepts(document, one, value)));
  }
  return [...types].every((type) => {
    if (type === 'object') return objectsDisjoint(document, a, b, depth);
    if (type === 'array') return listsDisjoint(document, a, b, depth);
    return rangesDisjoint(both, type);
  });
}

/** The values of the first `enum` or `const`; null: there is none. */
export function possibleValues(schemas: Conjunction): unknown[] | null {
  for (const { schema } of schemas) {
    if ('const' in schema) return [schema.const];
    if (schema.enum !== undefined) {
      return schema.enum.filter(
        (value, at, all) => all.findIndex((other) => sameValue(other, value)) === at,
      );
    }
  }
  return null;
}

function objectsDisjoint(
  document: SchemaDocument,
  a: Conjunction,
  b: Conjunction,
  depth: number,
): boolean {
  const required = new Set([...a, ...b].flatMap(({ schema }) => schema.required ?? []));
  return [...required].some((name) => {
    const schemasIn = (schemas: Conjunction): Located[] =>
      schemas.flatMap((one) => propertySchemas(document, one, name));
    return areDisjoint(document, schemasIn(a), schemasIn(b), depth + 1);
  });
}

function listsDisjoint(
  document: SchemaDocument,
  a: Conjunction,
  b: Conjunction,
  depth: number,
): boolean {
  const both = [...a, ...b];
  if (crossed(both, 'minItems', 'maxItems')) return true;
  const least = Math.max(0, ...both.map(({ schema }) => schema.minItems ?? 0));
  return Array.from({ length: Math.min(least, DEEPEST) }).some((_, index) => {
    const schemasIn = (schemas: Conjunction): Located[] =>
      schemas.map((one) => itemSchema(document, one, index)).filter((one) => one !== null);
    return areDisjoint(document, schemasIn(a), schemasIn(b), depth + 1);
  });
}

function rangesDisjoint(both: Conjunction, type: ValueType): boolean {
  if (type === 'string') return crossed(both, 'minLength', 'maxLength');
  if (type !== 'number' && type !== 'integer') return false;
  if (crossed(both, 'minimum', 'maximum') || crossed(both, 'exclusiveMinimum', 'exclusiveMaximum'))
    return true;
  const meet = (low: keyof SchemaObject, high: keyof SchemaObject): boolean =>
    both.some(({ schema: x }) =>
      both.some(({ schema: y }) => (x[low] as number) >= (y[high] as number)),
    );
  return meet('exclusiveMinimum', 'maximum') || meet('minimum', 'exclusiveMaximum');
}

const crossed = (both: Conjunction, low: keyof SchemaObject, high: keyof SchemaObject): boolean =>
  both.some(({ schema: x }) =>
    both.some(({ schema: y }) => (x[low] as number) > (y[high] as number)),
  );
