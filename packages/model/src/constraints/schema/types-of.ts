import { keywordsOf, type SchemaObject } from './keywords.ts';
import type { Conjunction } from './schema-document.ts';

/** A type of JSON values. A number is a whole one, or it need not be. */
export type ValueType = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';

const all: readonly ValueType[] = ['object', 'array', 'string', 'number', 'boolean', 'null'];

/** The types that all schemas allow. */
export function typesOf(schemas: Conjunction): Set<ValueType> {
  let types = new Set<ValueType>(all);
  for (const { schema } of schemas) {
    if (schema.type === undefined) continue;
    const own = new Set(Array.isArray(schema.type) ? schema.type : [schema.type]);
    const allows = (type: ValueType): ValueType[] => {
      if (own.has(type)) return [type];
      if (type === 'integer') return own.has('number') ? [type] : [];
      return type === 'number' && own.has('integer') ? ['integer'] : [];
    };
    types = new Set([...types].flatMap(allows));
  }
  return types;
}

/**
 * The types that answers have. Schemas without `type`, `enum` and `const` that have keywords of
 * some types mean those, although any value of another type would be valid too.
 */
export function typesToWrite(schemas: Conjunction): Set<ValueType> {
  const types = typesOf(schemas);
  const says = ({ type, enum: values, ...rest }: SchemaObject): boolean =>
    type !== undefined || values !== undefined || 'const' in rest;
  if (schemas.some(({ schema }) => says(schema))) return types;
  const meant = Object.entries(keywordsOf)
    .filter(([, keywords]) =>
      schemas.some(({ schema }) => keywords.some((one) => schema[one] !== undefined)),
    )
    .map(([type]) => type as ValueType);
  return meant.length === 0 ? types : new Set([...types].filter((type) => meant.includes(type)));
}
