// A YAML file that a zod schema describes, with the place of every fault.
import { ConfigError, nearest } from '@keel/align/config';
import { listed, readYamlFile, type YamlFile } from '@keel/align/internal';
import { isMap, isNode, isPair } from 'yaml';
import { z } from 'zod';

type Path = readonly PropertyKey[];

/** A value that a schema has checked, and where its parts are in the file. */
export interface Spec<Value> {
  value: Value;
  /** `file:line:column` of a part, or of the nearest one around it. */
  placeOf(path: Path): string;
}

/**
 * Reads and checks a YAML file.
 * @param what the file should contain, for messages: `a suite, with "tasks:" in it`
 * @param given what is checked instead of the file's own value, such as with included keys
 * @throws ConfigError naming file, line and column of every fault
 */
export function checkSpec<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  what: string,
  given?: unknown,
): Spec<z.output<Schema>> {
  const file = readYamlFile(path, what);
  const placeOf = (at: Path): string => file.placeAt(offsetOf(file, at));
  if (file.pairs.length === 0) throw new ConfigError([`${path}: is empty; expected ${what}`]);
  const value: unknown = given ?? file.document.toJS({ maxAliasCount: 100 });
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data, placeOf };
  throw new ConfigError(
    parsed.error.issues.flatMap((issue) =>
      faultsOf(issue, schema, value).map(({ at, text }) => `${placeOf(at)}: ${text}`),
    ),
  );
}

interface Fault {
  at: Path;
  text: string;
}

function faultsOf(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): Fault[] {
  const { path } = issue;
  const key = path.filter((part) => typeof part === 'string').at(-1);
  const prefix = key === undefined ? '' : `${String(key)}: `;
  const found = shown(at(value, path));
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(schema, path, value);
      return issue.keys.map((one) => ({
        at: [...path, one],
        text: unknown('key', one, known),
      }));
    }
    case 'invalid_union': {
      const types =
        path.at(-1) === 'type' || path.at(-1) === 'function'
          ? typesAt(schema, path.slice(0, -1))
          : null;
      if (types === null) return [{ at: path, text: `${prefix}found ${found}` }];
      const type = at(value, path);
      if (type === undefined) {
        return [{ at: path, text: `${prefix}missing. ${listed('Use one of', types)}` }];
      }
      return [{ at: path, text: unknown(String(key), String(type), types) }];
    }
    case 'invalid_value':
      return [{ at: path, text: `${prefix}${unknown('value', found, issue.values.map(String))}` }];
    case 'invalid_type':
      if (at(value, path) === undefined) {
        return [{ at: path, text: `"${String(key)}" is missing: expected ${issue.expected}` }];
      }
      return [{ at: path, text: `${prefix}expected ${issue.expected}, found ${found}` }];
    default: {
      const message = issue.message.replace(/^(?:Invalid input|Invalid string): /, '');
      return [{ at: path, text: `${prefix}${message}, found ${found}` }];
    }
  }
}

function unknown(what: string, found: string, known: readonly string[]): string {
  const near = nearest(found, known);
  return near === null
    ? `unknown ${what} "${found}". ${listed('Use one of', known)}`
    : `unknown ${what} "${found}"; did you mean "${near}"?`;
}

/** The schema at a path, through lists, objects and the alternatives of a `type`. */
function schemaAt(schema: z.ZodType, path: Path, value: unknown): z.core.$ZodType | undefined {
  let inner: z.core.$ZodType | undefined = unwrapped(schema);
  path.forEach((part, index) => {
    inner = alternative(inner, at(value, path.slice(0, index)));
    if (inner instanceof z.ZodArray) inner = inner.element;
    else if (inner instanceof z.ZodObject) inner = inner.shape[part as string];
    else inner = undefined;
    inner = unwrapped(inner);
  });
  return inner;
}

function keysAt(schema: z.ZodType, path: Path, value: unknown): string[] {
  const inner = alternative(schemaAt(schema, path, value), at(value, path));
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function typesAt(schema: z.ZodType, path: Path): string[] | null {
  const inner = schemaAt(schema, path, undefined);
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return null;
  return (inner.options as readonly z.ZodObject[]).map((one) =>
    String((one.shape[inner.def.discriminator] as z.ZodLiteral).value),
  );
}

function alternative(schema: z.core.$ZodType | undefined, value: unknown) {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const key = schema.def.discriminator;
  const type = (value as Record<string, unknown> | null | undefined)?.[key];
  return (schema.options as readonly z.ZodObject[]).find(
    (one) => (one.shape[key] as z.ZodLiteral).value === type,
  );
}

function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let inner = schema;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable
  ) {
    inner = inner.def.innerType;
  }
  return inner;
}

function at(value: unknown, path: Path): unknown {
  let part = value;
  for (const key of path) part = (part as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return part;
}

/** The position of a key, or of the nearest value around it. */
function offsetOf({ document }: YamlFile, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    if (isMap(parent)) {
      const pair = parent.items.find(
        (item) =>
          isPair(item) && String((item.key as { value?: unknown }).value) === path[length - 1],
      );
      if (isNode(pair?.key) && pair.key.range) return pair.key.range[0];
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
