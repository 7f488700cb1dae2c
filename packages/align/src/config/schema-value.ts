// Reads written values by a zod schema of any depth, with the parser of option values.
import { parseExactJson } from '@keel/model/exact-json';
import { z } from 'zod';
import { optionValue } from './option-value.ts';
import { scalarType } from './options.ts';
import { jsonText, unclearValue, type Written } from './written.ts';

/** A plain scalar that may be a number or a text, where the schema takes both. */
export class UnclearValueError extends Error {
  readonly path: readonly PropertyKey[];

  constructor(text: string, path: readonly PropertyKey[]) {
    super(unclearValue(text));
    this.name = 'UnclearValueError';
    this.path = path;
  }
}

/**
 * The value for the schema to check. Values of another kind and unknown keys stay plain data, so
 * that the schema reports them.
 * @param path of the value, for errors
 * @throws UnclearValueError
 */
export function schemaValue(
  schema: z.core.$ZodType | undefined,
  written: Written,
  path: readonly PropertyKey[] = [],
): unknown {
  const { inner, nullable } = unwrap(schema);
  const own = inner === undefined ? undefined : variantFor(inner, written);
  if (own instanceof z.ZodUnknown) return yamlValue(written, path);
  if (written.kind === 'list') {
    const items = own instanceof z.ZodTuple ? own.def.items : null;
    const element = own instanceof z.ZodArray ? own.element : undefined;
    return written.items.map((item, at) =>
      schemaValue(items?.[at] ?? element, item, [...path, at]),
    );
  }
  if (written.kind === 'map') {
    const shape: Record<string, z.core.$ZodType> = own instanceof z.ZodObject ? own.shape : {};
    const others = own instanceof z.ZodRecord ? own.valueType : undefined;
    return Object.fromEntries(
      written.entries.map(([key, value]) => [
        key,
        schemaValue(Object.hasOwn(shape, key) ? shape[key] : others, value, [...path, key]),
      ]),
    );
  }
  return optionValue({ ...typeOf(own), list: false, nullable, words: [] }, written);
}

/** A value of any type, as in a mapping of an option, with its numbers as they are written. */
function yamlValue(written: Written, path: readonly PropertyKey[]): unknown {
  if (written.kind === 'list') {
    return written.items.map((item, at) => yamlValue(item, [...path, at]));
  }
  if (written.kind === 'map') {
    return Object.fromEntries(
      written.entries.map(([key, value]) => [key, yamlValue(value, [...path, key])]),
    );
  }
  const json = jsonText(written);
  if (json === null) throw new UnclearValueError(written.text, path);
  return parseExactJson(json);
}

/** A schema without its wrappers, such as defaults. */
export function unwrap(schema: z.core.$ZodType | undefined): {
  inner: z.core.$ZodType | undefined;
  nullable: boolean;
} {
  let inner = schema;
  let nullable = false;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodOptional
  ) {
    nullable ||= inner instanceof z.ZodNullable;
    inner = inner.def.innerType;
  }
  return { inner, nullable };
}

/** The variant of a union that takes a value of this kind. */
function variantFor(schema: z.core.$ZodType, written: Written): z.core.$ZodType | undefined {
  if (!(schema instanceof z.ZodUnion)) return schema;
  const options = schema.options as readonly z.core.$ZodType[];
  const type = typeKey(written);
  return options.find((option) => {
    if (written.kind === 'list')
      return option instanceof z.ZodArray || option instanceof z.ZodTuple;
    if (written.kind === 'scalar') {
      return !(option instanceof z.ZodArray) && !(option instanceof z.ZodObject);
    }
    if (!(option instanceof z.ZodObject)) return false;
    const named: unknown = option.shape.type;
    return !(named instanceof z.ZodLiteral) || named.value === type;
  });
}

function typeKey(written: Written): string | null {
  if (written.kind !== 'map') return null;
  const [, value] = written.entries.find(([key]) => key === 'type') ?? [];
  return value?.kind === 'scalar' ? value.text : null;
}

function typeOf(schema: z.core.$ZodType | undefined) {
  const choices = schema instanceof z.ZodEnum ? schema.options.map(String) : null;
  const isScalar =
    schema instanceof z.ZodNumber ||
    schema instanceof z.ZodBoolean ||
    schema instanceof z.ZodString;
  return { type: isScalar ? scalarType(schema, '') : ('string' as const), choices };
}
