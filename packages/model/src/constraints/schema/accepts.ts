// Whether a value is valid: for the values of `enum` and `const`, which other keywords may exclude.
import { automaton, matches } from '../language/automaton.ts';
import { regexExpression } from '../language/regex.ts';
import { formats } from './formats.ts';
import type { SchemaObject } from './keywords.ts';
import type { Located, SchemaDocument } from './schema-document.ts';

/** Equality of JSON values. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every(
      (name) =>
        Object.hasOwn(b, name) &&
        sameValue((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
    )
  );
}

export function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

export function accepts(document: SchemaDocument, one: Located, value: unknown): boolean {
  const { schema } = one;
  if (typeof schema === 'boolean') return schema;
  const { $ref, type, enum: values } = schema;
  if ($ref !== undefined && !accepts(document, document.target(one, $ref), value)) return false;
  if (type !== undefined && !hasType(value, type)) return false;
  if (values !== undefined && !values.some((other) => sameValue(other, value))) return false;
  if ('const' in schema && !sameValue(schema.const, value)) return false;
  const count = (keyword: 'allOf' | 'anyOf' | 'oneOf'): number =>
    document.list(one, keyword).filter((option) => accepts(document, option, value)).length;
  if (schema.allOf !== undefined && count('allOf') < schema.allOf.length) return false;
  if (schema.anyOf !== undefined && count('anyOf') === 0) return false;
  if (schema.oneOf !== undefined && count('oneOf') !== 1) return false;
  if (typeof value === 'string') return acceptsText(schema, value);
  if (typeof value === 'number') return acceptsNumber(schema, value);
  if (Array.isArray(value)) return acceptsItems(document, one, schema, value);
  if (typeof value !== 'object' || value === null) return true;
  return acceptsProperties(document, one, schema, value as Record<string, unknown>);
}

function hasType(value: unknown, type: string | readonly string[]): boolean {
  const own = typeOf(value);
  return [type].flat().some((one) => one === own || (one === 'integer' && Number.isInteger(value)));
}

const within = (count: number, least = 0, most = Number.POSITIVE_INFINITY): boolean =>
  count >= least && count <= most;

function acceptsText(schema: SchemaObject, value: string): boolean {
  const { minLength, maxLength, pattern, format } = schema;
  const matchesPattern = (source: string, extent: 'whole' | 'part'): boolean =>
    matches(automaton(regexExpression(source, extent)), value);
  return (
    within([...value].length, minLength, maxLength) &&
    (pattern === undefined || matchesPattern(pattern, 'part')) &&
    (format === undefined || matchesPattern(formats[format]!, 'whole'))
  );
}

const acceptsNumber = (schema: SchemaObject, value: number): boolean =>
  within(value, schema.minimum ?? Number.NEGATIVE_INFINITY, schema.maximum) &&
  value > (schema.exclusiveMinimum ?? Number.NEGATIVE_INFINITY) &&
  value < (schema.exclusiveMaximum ?? Number.POSITIVE_INFINITY) &&
  (schema.multipleOf === undefined || value % schema.multipleOf === 0);

function acceptsItems(
  document: SchemaDocument,
  one: Located,
  schema: SchemaObject,
  value: readonly unknown[],
): boolean {
  return (
    within(value.length, schema.minItems, schema.maxItems) &&
    value.every((item, index) => {
      const own = itemSchema(document, one, index);
      return own === null || accepts(document, own, item);
    })
  );
}

function acceptsProperties(
  document: SchemaDocument,
  one: Located,
  schema: SchemaObject,
  value: Record<string, unknown>,
): boolean {
  const { required = [], propertyNames } = schema;
  const names = Object.keys(value);
  return (
    within(names.length, schema.minProperties, schema.maxProperties) &&
    required.every((name) => Object.hasOwn(value, name)) &&
    names.every(
      (name) =>
        (propertyNames === undefined ||
          accepts(document, document.below(one, propertyNames, 'propertyNames'), name)) &&
        propertySchemas(document, one, name).every((own) => accepts(document, own, value[name])),
    )
  );
}

/** The schema of an item of a list; null: it says nothing about it. */
export function itemSchema(document: SchemaDocument, one: Located, index: number): Located | null {
  const { items, prefixItems, additionalItems } = one.schema as SchemaObject;
  // Before the draft of 2020, `items` could be a list, and `additionalItems` what follows.
  const first = prefixItems ?? (Array.isArray(items) ? items : []);
  const keyword = prefixItems === undefined ? 'items' : 'prefixItems';
  if (index < first.length) return document.below(one, first[index]!, keyword, index);
  const rest = Array.isArray(items) ? additionalItems : items;
  const name = Array.isArray(items) ? 'additionalItems' : 'items';
  return rest === undefined ? null : document.below(one, rest as boolean, name);
}

/** The schemas that the value of a property must match. */
export function propertySchemas(document: SchemaDocument, one: Located, name: string): Located[] {
  const {
    properties = {},
    patternProperties = {},
    additionalProperties,
  } = one.schema as SchemaObject;
  const found: Located[] = [];
  if (Object.hasOwn(properties, name)) {
    found.push(document.below(one, properties[name], 'properties', name));
  }
  for (const [pattern, own] of Object.entries(patternProperties)) {
    if (!matches(automaton(regexExpression(pattern, 'part')), name)) continue;
    found.push(document.below(one, own, 'patternProperties', pattern));
  }
  if (found.length > 0 || additionalProperties === undefined) return found;
  return [document.below(one, additionalProperties, 'additionalProperties')];
}
