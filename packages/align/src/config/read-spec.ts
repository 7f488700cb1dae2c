// A YAML or JSON file that a zod schema describes, with the place of every fault: rewards, judges,
// suites, constitutions.
import { type Document, isMap, isNode, isPair } from 'yaml';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { unknownChoice } from './explain-issue.ts';
import { listed } from './listed.ts';
import { nearest } from './nearest.ts';
import { schemaValue, unwrap } from './schema-value.ts';
import type { WrittenMap } from './written.ts';
import { readYamlFile, type YamlFile } from './yaml-file.ts';

type Path = readonly PropertyKey[];

/** What a file should contain. */
export interface SpecForm<Schema extends z.ZodType> {
  schema: Schema;
  /** For messages: `a reward, such as "type: regex" and its "pattern"`. */
  what: string;
  /** For messages about the top level: `the reward`. */
  whole: string;
  /** The list of which a file with `type` at its top is the only item (default: none). */
  single?: string;
}

export interface Spec<Value> {
  value: Value;
  /** `file:line:column` of a value in the file, by its path, or of the nearest one around it. */
  placeOf(path: Path): string;
}

/**
 * Reads and checks a file.
 * @throws ConfigError naming file, line and column of every fault, with a suggestion for an unknown
 *   key
 */
export const readSpec = <Schema extends z.ZodType>(
  file: string,
  form: SpecForm<Schema>,
): Spec<z.output<Schema>> => specOf(readYamlFile(file, form.what), file, form);

/** {@link readSpec} for a file that is already read; `file` is only used in errors. */
export function specOf<Schema extends z.ZodType>(
  yaml: YamlFile,
  file: string,
  { schema, what, whole, single }: SpecForm<Schema>,
): Spec<z.output<Schema>> {
  const { document, pairs } = yaml;
  if (pairs.length === 0) throw new ConfigError([`${file}: is empty; expected ${what}`]);
  const written: WrittenMap = {
    kind: 'map',
    entries: pairs.map((pair) => [yaml.keyOf(pair), yaml.writtenOf(pair).written]),
  };
  const alone = single !== undefined && document.has('type');
  const value = schemaValue(
    schema,
    alone ? { kind: 'map', entries: [[single, { kind: 'list', items: [written] }]] } : written,
  );
  const placeOf = (path: Path): string =>
    yaml.placeAt(offsetOf(document, alone ? path.slice(2) : path));
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data, placeOf };
  throw new ConfigError(
    parsed.error.issues.flatMap((issue) =>
      explain(issue, { schema, value, whole }).map(({ path, text }) => `${placeOf(path)}: ${text}`),
    ),
  );
}

interface Checked {
  schema: z.ZodType;
  value: unknown;
  whole: string;
}

interface Fault {
  path: Path;
  text: string;
}

function explain(issue: z.core.$ZodIssue, checked: Checked): Fault[] {
  const { value, whole } = checked;
  const { path } = issue;
  const name = path.filter((part) => typeof part === 'string').at(-1) ?? whole;
  const found = shown(at(value, path));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      text: unknownKey(key, path, checked),
    }));
  }
  if (issue.code === 'invalid_union' && path.at(-1) === 'type') {
    const types = typesOf(schemaAt(path.slice(0, -1), checked));
    return [{ path, text: choice('type', types, at(value, path)) }];
  }
  if (issue.code === 'invalid_value') {
    return [{ path, text: choice(String(name), issue.values.map(String), at(value, path)) }];
  }
  if (issue.code === 'invalid_type' && at(value, path) === undefined) {
    return [{ path, text: `"${String(name)}" is missing: expected ${issue.expected}` }];
  }
  const message = issue.message.replace(/^Invalid input: /, '').replace(/, received .*$/, '');
  return [{ path, text: `${String(name)}: ${message}, found ${found}` }];
}

function unknownKey(key: string, path: Path, checked: Checked): string {
  const own = schemaAt(path, checked);
  const schema =
    own instanceof z.ZodDiscriminatedUnion ? variantOf(own, at(checked.value, path)) : own;
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const near = nearest(key.replaceAll('-', '_'), known);
  return near
    ? `unknown key "${key}"; did you mean "${near}"?`
    : `unknown key "${key}"; ${listed('expected one of', known)}`;
}

const choice = (name: string, choices: readonly string[], found: unknown): string =>
  `${name}: ${unknownChoice(found, choices)}`;

/** The schema at a path of the value, without wrappers. */
function schemaAt(path: Path, { schema, value }: Checked): z.core.$ZodType | undefined {
  let found = unwrap(schema).inner;
  path.forEach((part, index) => {
    if (found instanceof z.ZodDiscriminatedUnion) {
      found = variantOf(found, at(value, path.slice(0, index)));
    }
    if (found instanceof z.ZodArray) found = found.element;
    else if (found instanceof z.ZodRecord) found = found.valueType;
    else if (found instanceof z.ZodObject) found = found.shape[part as string];
    else found = undefined;
    found = unwrap(found).inner;
  });
  return found;
}

/** The alternative of a union whose `type` a value has. */
function variantOf(union: z.ZodDiscriminatedUnion, value: unknown): z.core.$ZodType | undefined {
  const type = (value as { type?: unknown } | null | undefined)?.type;
  return variants(union).find(({ types }) => types.includes(String(type)))?.schema;
}

const typesOf = (schema: z.core.$ZodType | undefined): string[] =>
  schema instanceof z.ZodDiscriminatedUnion ? variants(schema).flatMap(({ types }) => types) : [];

const variants = (union: z.ZodDiscriminatedUnion): { types: string[]; schema: z.core.$ZodType }[] =>
  union.options.flatMap((schema) => {
    const { type } = schema._zod.propValues ?? {};
    return type === undefined ? [] : [{ types: [...type].map(String), schema }];
  });

function at(value: unknown, path: Path): unknown {
  let part = value;
  for (const key of path) part = (part as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return part;
}

/** The position of a key, or of the nearest existing value around it. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find(
        (item) => isPair(item) && String((item.key as { value?: unknown })?.value) === last,
      );
      if (isNode(pair?.key) && pair.key.range) return pair.key.range[0];
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents && isNode(document.contents) ? (document.contents.range?.[0] ?? 0) : 0;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
