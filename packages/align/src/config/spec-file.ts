// Reads a spec: a YAML or JSON file whose content a zod schema of any depth describes.
import { type Document, isMap, isNode, isPair } from 'yaml';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { unknownChoice } from './explain-issue.ts';
import { listed } from './listed.ts';
import { nearest } from './nearest.ts';
import { schemaValue, UnclearValueError, unwrap } from './schema-value.ts';
import type { WrittenMap } from './written.ts';
import type { YamlFile } from './yaml-file.ts';

type Path = readonly PropertyKey[];

interface SpecReading {
  /** What is read, for a fault without a key: `the reward`. */
  subject: string;
  /** Changes what is written before the schema reads it (default: unchanged). */
  prepare?(written: WrittenMap): WrittenMap;
  /** Where a path of the value is in the file (default: the same). */
  inFile?(path: Path): Path;
}

/**
 * The value of a file that is a mapping.
 * @throws ConfigError naming file, line and column of every fault, with a suggestion for an unknown
 *   key
 */
export function readSpec<Schema extends z.ZodType>(
  yaml: YamlFile,
  schema: Schema,
  { subject, prepare = (written) => written, inFile = (path) => path }: SpecReading,
): z.output<Schema> {
  const { document, pairs } = yaml;
  const whole = prepare({
    kind: 'map',
    entries: pairs.map((pair) => [yaml.keyOf(pair), yaml.writtenOf(pair).written]),
  });
  const placeOf = (path: Path): string => yaml.placeAt(offsetOf(document, inFile(path)));
  const value = clearValue(schema, whole, placeOf);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    specFaults(schema, value, parsed.error, subject).map(
      ({ path, text }) => `${placeOf(path)}: ${text}`,
    ),
  );
}

/** @throws ConfigError for a value that may be a number or a text */
function clearValue(
  schema: z.ZodType,
  whole: WrittenMap,
  placeOf: (path: Path) => string,
): unknown {
  try {
    return schemaValue(schema, whole);
  } catch (error) {
    if (!(error instanceof UnclearValueError)) throw error;
    throw new ConfigError([`${placeOf(error.path)}: ${error.message}`], { cause: error });
  }
}

/** `file:line:column` of the value at a path, or of the nearest one around it. */
export const placeIn = (yaml: YamlFile, path: Path): string =>
  yaml.placeAt(offsetOf(yaml.document, path));

/** A fault of a spec, with the path of its key. */
export interface SpecFault {
  path: Path;
  text: string;
}

/** What is wrong with a value. @param subject names the whole: `the reward` */
export const specFaults = (
  schema: z.ZodType,
  value: unknown,
  { issues }: z.ZodError,
  subject: string,
): SpecFault[] => issues.flatMap((issue) => explain(issue, { schema, value, subject }));

interface Whole {
  schema: z.ZodType;
  value: unknown;
  subject: string;
}

function explain(issue: z.core.$ZodIssue, whole: Whole): SpecFault[] {
  const { path } = issue;
  const { value } = whole;
  const name = path.filter((part) => typeof part === 'string').at(-1) ?? whole.subject;
  const found = shown(at(value, path));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], text: unknownKey(key, path, whole) }));
  }
  if (issue.code === 'invalid_union' && path.at(-1) === 'type') {
    const types = typesOf(schemaAt(path.slice(0, -1), whole));
    return [{ path, text: choice('type', types, at(value, path)) }];
  }
  if (issue.code === 'invalid_value') {
    return [{ path, text: choice(String(name), issue.values.map(String), at(value, path)) }];
  }
  if (issue.code === 'invalid_type' && at(value, path) === undefined) {
    return [{ path, text: `"${String(name)}" is missing: expected ${issue.expected}` }];
  }
  // A key that is in the wrong place must not be repeated.
  if (issue.code === 'custom' && issue.params?.secret === true) {
    return [{ path, text: `${String(name)}: ${issue.message}` }];
  }
  const message = issue.message.replace(/^Invalid input: /, '').replace(/, received .*$/, '');
  return [{ path, text: `${String(name)}: ${message}, found ${found}` }];
}

function unknownKey(key: string, path: Path, whole: Whole): string {
  const known = knownKeys(path, whole);
  const near = nearest(key.replaceAll('-', '_'), known);
  return near
    ? `unknown key "${key}"; did you mean "${near}"?`
    : `unknown key "${key}"; ${listed('expected one of', known)}`;
}

const choice = (name: string, choices: readonly string[], found: unknown): string =>
  `${name}: ${unknownChoice(found, choices)}`;

/** The keys of the schema at a path. */
function knownKeys(path: Path, whole: Whole): string[] {
  const { inner } = unwrap(variantOf(schemaAt(path, whole), at(whole.value, path)));
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** The schema at a path; of a union, before a variant is chosen. */
function schemaAt(path: Path, { schema, value }: Whole): z.core.$ZodType | undefined {
  let found: z.core.$ZodType | undefined = schema;
  path.forEach((part, index) => {
    found = unwrap(variantOf(found, at(value, path.slice(0, index)))).inner;
    if (found instanceof z.ZodArray) found = found.element;
    else if (found instanceof z.ZodObject) found = found.shape[part as string];
    else found = undefined;
  });
  return found;
}

/** The variant of a union that a value's type names; any other schema as it is. */
function variantOf(
  schema: z.core.$ZodType | undefined,
  value: unknown,
): z.core.$ZodType | undefined {
  const { inner } = unwrap(schema);
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return inner;
  const type = (value as { type?: unknown } | null | undefined)?.type;
  return inner.options.find((option) => typeOf(option) === type);
}

const typesOf = (schema: z.core.$ZodType | undefined): string[] => {
  const { inner } = unwrap(schema);
  const options = inner instanceof z.ZodDiscriminatedUnion ? inner.options : [];
  return options.flatMap((option) => typeOf(option) ?? []);
};

function typeOf(option: z.core.$ZodType): string | null {
  const { inner } = unwrap(option instanceof z.ZodObject ? option.shape.type : undefined);
  return inner instanceof z.ZodLiteral ? String(inner.value) : null;
}

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
