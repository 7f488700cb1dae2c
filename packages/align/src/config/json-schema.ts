import { z } from 'zod';
import type { OptionDescriptor, OptionsDefinition } from './options.ts';

type JsonSchema = Record<string, unknown>;

/**
 * The JSON Schema (draft 2020-12) of a verb's YAML file, for editors: snake_case keys,
 * descriptions, defaults, ranges. No key is required, since flags may supply it.
 */
export function optionsJsonSchema(definition: OptionsDefinition): JsonSchema {
  const whole = z.toJSONSchema(definition.schema, { io: 'input', override: dropSafeIntegerBounds });
  const byName = (whole.properties ?? {}) as Record<string, JsonSchema>;
  const properties: Record<string, JsonSchema> = {};
  for (const descriptor of definition.descriptors) {
    const property = byName[descriptor.name];
    if (descriptor.flagOnly || !property) continue;
    const own = describeDefault(descriptor.list ? listOrItem(property) : property, descriptor);
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

/** Drops the bounds of exact integers that zod adds; they say nothing about the option. */
function dropSafeIntegerBounds({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}

/** Adds the default in words to the description if the option has one. */
const describeDefault = (property: JsonSchema, { shownDefault }: OptionDescriptor): JsonSchema =>
  shownDefault === undefined
    ? property
    : { ...property, description: `${property.description} (default: ${shownDefault})` };

/** Allows `none` for null, unless `none` would be a valid text. */
function orNone(property: JsonSchema, { type, choices, literal }: OptionDescriptor): JsonSchema {
  const { anyOf } = property;
  const taken = type === 'string' && (choices === null || literal === true);
  if (taken || !Array.isArray(anyOf)) return property;
  return { ...property, anyOf: [...anyOf, { const: 'none' }] };
}

/** A list with one value may be written as that value. */
function listOrItem({ description, default: preset, ...rest }: JsonSchema): JsonSchema {
  const array = (rest.anyOf as JsonSchema[] | undefined)?.find(({ type }) => type === 'array');
  const item = (array ?? rest).items as JsonSchema;
  const variants = (rest.anyOf as JsonSchema[] | undefined) ?? [rest];
  return { description, default: preset, anyOf: [...variants, item] };
}
