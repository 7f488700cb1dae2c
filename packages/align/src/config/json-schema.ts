import { z } from 'zod';
import type { OptionDescriptor, OptionsDefinition } from './options.ts';

type JsonSchema = Record<string, unknown>;

/**
 * The JSON Schema (draft 2020-12) of a verb's YAML file, for editors: snake_case keys,
 * descriptions, defaults, ranges. No key is required, since flags may give what the file leaves
 * out.
 */
export function optionsJsonSchema(definition: OptionsDefinition): JsonSchema {
  const whole = z.toJSONSchema(definition.schema, { io: 'input', override: dropSafeIntegerBounds });
  const byName = (whole.properties ?? {}) as Record<string, JsonSchema>;
  const properties: Record<string, JsonSchema> = {};
  for (const descriptor of definition.descriptors) {
    const property = byName[descriptor.name];
    if (descriptor.flagOnly || !property) continue;
    const own = descriptor.list ? listOrItem(property) : property;
    properties[descriptor.yamlKey] = descriptor.nullable ? orNone(own, descriptor) : own;
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `keel ${definition.verb}`,
    type: 'object',
    properties,
    additionalProperties: false,
  };
}

/** zod states the bounds of exact integers; they tell a reader of the schema nothing. */
function dropSafeIntegerBounds({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}

/** No value may also be written `none`, where a text of that name is another type's. */
function orNone(property: JsonSchema, { type, choices, literal }: OptionDescriptor): JsonSchema {
  const { anyOf } = property;
  const taken = type === 'string' && (choices === null || literal === true);
  if (taken || !Array.isArray(anyOf)) return property;
  return { ...property, anyOf: [...anyOf, { const: 'none' }] };
}

/** A list option may be written as its one value. */
function listOrItem({ description, default: preset, ...rest }: JsonSchema): JsonSchema {
  const array = (rest.anyOf as JsonSchema[] | undefined)?.find(({ type }) => type === 'array');
  const item = (array ?? rest).items as JsonSchema;
  const variants = (rest.anyOf as JsonSchema[] | undefined) ?? [rest];
  return { description, default: preset, anyOf: [...variants, item] };
}
