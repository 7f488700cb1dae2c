// Which keywords of a JSON schema are enforced. Any other is refused by name: an answer that only
// seems to be checked is worse than none.
import { ConstraintError } from '../language/constraint-error.ts';
import { formats } from './formats.ts';

export const typeNames = [
  ...['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'],
] as const;
export type TypeName = (typeof typeNames)[number];

/** The enforced keywords of a checked schema. */
export interface SchemaObject {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: Schema;
  propertyNames?: Schema;
  required?: string[];
  minProperties?: number;
  maxProperties?: number;
  items?: Schema | Schema[];
  prefixItems?: Schema[];
  additionalItems?: Schema;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
}
export type Schema = boolean | SchemaObject;

const isSchema = (value: unknown): boolean =>
  typeof value === 'boolean' ||
  (typeof value === 'object' && value !== null && !Array.isArray(value));
const isList = (value: unknown): value is unknown[] => Array.isArray(value);
const isDictionary = (value: unknown): boolean => isSchema(value) && typeof value !== 'boolean';
const schema = { what: 'a schema (an object, true or false)', holds: isSchema };
const schemas = {
  what: 'a list of schemas',
  holds: (value: unknown) => isList(value) && value.length > 0 && value.every(isSchema),
};
const named = {
  what: 'an object of schemas',
  holds: (value: unknown) => isDictionary(value) && Object.values(value as object).every(isSchema),
};
const count = {
  what: 'a whole number of at least 0',
  holds: (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0,
};
const number = { what: 'a number', holds: (value: unknown) => Number.isFinite(value) };
const text = { what: 'a text', holds: (value: unknown) => typeof value === 'string' };
const anything = { what: 'a value', holds: () => true };
const isType = (value: unknown): boolean => typeNames.includes(value as TypeName);

const enforced: Record<string, { what: string; holds(value: unknown): boolean }> = {
  $ref: text,
  type: {
    what: `one of ${typeNames.join(', ')}, or a list of them`,
    holds: (value) => isType(value) || (isList(value) && value.length > 0 && value.every(isType)),
  },
  enum: { what: 'a list of values', holds: (value) => isList(value) && value.length > 0 },
  const: anything,
  ...{ allOf: schemas, anyOf: schemas, oneOf: schemas },
  ...{ minLength: count, maxLength: count, pattern: text },
  format: {
    what: `one of ${Object.keys(formats).join(', ')}; others are not enforced`,
    holds: (value) => typeof value === 'string' && Object.hasOwn(formats, value),
  },
  ...{ minimum: number, maximum: number, exclusiveMinimum: number, exclusiveMaximum: number },
  multipleOf: {
    what: 'a whole number from 1 to 1000; others are not enforced',
    holds: (value) =>
      Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1000,
  },
  ...{ properties: named, patternProperties: named, additionalProperties: schema },
  propertyNames: schema,
  required: {
    what: 'a list of names',
    holds: (value) => isList(value) && value.every((one) => typeof one === 'string'),
  },
  ...{ minProperties: count, maxProperties: count, minItems: count, maxItems: count },
  items: {
    what: 'a schema, or a list of schemas',
    holds: (value) => isSchema(value) || (isList(value) && value.every(isSchema)),
  },
  prefixItems: schemas,
  additionalItems: schema,
  uniqueItems: {
    what: 'false: that items differ is not enforced',
    holds: (value) => value === false,
  },
};

/** Keywords that say nothing about which values are valid. */
const annotations = new Set([
  ...['$schema', '$id', '$comment', '$defs', 'definitions', 'title', 'description', 'default'],
  ...['examples', 'deprecated', 'readOnly', 'writeOnly', 'discriminator'],
  ...['contentEncoding', 'contentMediaType'],
]);

/**
 * @param path the schema's place, such as `#/properties/name`
 * @throws ConstraintError if it has a keyword that is not enforced, or one with a wrong value
 */
export function checkSchema(value: unknown, path: string): Schema {
  if (typeof value === 'boolean') return value;
  if (!isSchema(value)) {
    throw new ConstraintError(
      `the JSON schema at ${path} is ${shown(value)}, expected ${schema.what}`,
    );
  }
  for (const [keyword, own] of Object.entries(value as object)) {
    if (annotations.has(keyword) || keyword.startsWith('x-')) continue;
    const rule = Object.hasOwn(enforced, keyword) ? enforced[keyword] : undefined;
    if (rule === undefined) {
      throw new ConstraintError(
        `the JSON schema at ${path} has the keyword ${keyword}, which constrained output does not ` +
          `enforce. Remove it, and check answers for it afterwards. Enforced are ${Object.keys(enforced).join(', ')}`,
      );
    }
    if (!rule.holds(own)) {
      throw new ConstraintError(
        `the JSON schema at ${path} has ${keyword} ${shown(own)}, expected ${rule.what}`,
      );
    }
  }
  const found = value as SchemaObject;
  if ('$id' in found && path !== '#') {
    throw new ConstraintError(`the JSON schema at ${path} has an $id, which is only allowed at #`);
  }
  if (found.additionalItems !== undefined && !Array.isArray(found.items)) {
    throw new ConstraintError(
      `the JSON schema at ${path} has additionalItems without a list of items. Use items after prefixItems`,
    );
  }
  return found;
}

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Keywords that apply to values of one type only. */
export const keywordsOf: Readonly<Record<string, readonly (keyof SchemaObject)[]>> = {
  object: [
    ...(['properties', 'patternProperties', 'additionalProperties', 'propertyNames'] as const),
    ...(['required', 'minProperties', 'maxProperties'] as const),
  ],
  array: ['items', 'prefixItems', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
};
