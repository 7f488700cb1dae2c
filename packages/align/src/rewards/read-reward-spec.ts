import { type Document, isMap, isNode, isPair } from 'yaml';
import { z } from 'zod';
import { ConfigError } from '../config/config-error.ts';
import { unknownChoice } from '../config/explain-issue.ts';
import { listed } from '../config/listed.ts';
import { nearest } from '../config/nearest.ts';
import { schemaValue, unwrap } from '../config/schema-value.ts';
import type { WrittenMap } from '../config/written.ts';
import { parseYamlFile, readYamlFile, type YamlFile } from '../config/yaml-file.ts';
import { type CompositionSpec, compositionSchema, rewardTypes } from './reward-spec.ts';

type Path = readonly PropertyKey[];

const REWARD = 'a reward, such as "type: regex" and its "pattern"';

/**
 * Reads the spec of a reward, YAML or JSON: a mapping with `rewards`, or a single reward.
 * @throws ConfigError naming file, line and column of every fault, with a suggestion for an unknown
 *   key
 */
export const readRewardSpec = (file: string): CompositionSpec =>
  compositionOf(readYamlFile(file, REWARD), file);

/** `readRewardSpec` for text that is already read; `file` is only used in errors. */
export const parseRewardSpec = (text: string, file: string): CompositionSpec =>
  compositionOf(parseYamlFile(text, file, REWARD), file);

function compositionOf(yaml: YamlFile, file: string): CompositionSpec {
  const { document, pairs } = yaml;
  if (pairs.length === 0) throw new ConfigError([`${file}: is empty; expected ${REWARD}`]);
  const written: WrittenMap = {
    kind: 'map',
    entries: pairs.map((pair) => [yaml.keyOf(pair), yaml.writtenOf(pair).written]),
  };
  const alone = document.has('type');
  const whole: WrittenMap = alone
    ? { kind: 'map', entries: [['rewards', { kind: 'list', items: [written] }]] }
    : written;
  const value = schemaValue(compositionSchema, whole);
  const inFile = (path: Path): Path => (alone ? path.slice(2) : path);
  const parsed = compositionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.flatMap((issue) =>
      explain(issue, value).map(
        ({ path, text: what }) => `${yaml.placeAt(offsetOf(document, inFile(path)))}: ${what}`,
      ),
    ),
  );
}

interface Fault {
  path: Path;
  text: string;
}

function explain(issue: z.core.$ZodIssue, value: unknown): Fault[] {
  const { path } = issue;
  const name = path.filter((part) => typeof part === 'string').at(-1) ?? 'the reward';
  const found = shown(at(value, path));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], text: unknownKey(key, path, value) }));
  }
  if (issue.code === 'invalid_union' && path.at(-1) === 'type') {
    return [{ path, text: choice('type', Object.keys(rewardTypes), at(value, path)) }];
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

function unknownKey(key: string, path: Path, value: unknown): string {
  const known = knownKeys(path, value);
  const near = nearest(key.replaceAll('-', '_'), known);
  return near
    ? `unknown key "${key}"; did you mean "${near}"?`
    : `unknown key "${key}"; ${listed('expected one of', known)}`;
}

const choice = (name: string, choices: readonly string[], found: unknown): string =>
  `${name}: ${unknownChoice(found, choices)}`;

/** The keys of the schema at a path. */
function knownKeys(path: Path, value: unknown): string[] {
  let schema: z.core.$ZodType | undefined = compositionSchema;
  path.forEach((part, index) => {
    schema = unwrap(schema).inner;
    if (schema instanceof z.ZodArray) schema = schema.element;
    else if (schema instanceof z.ZodObject) schema = schema.shape[part as string];
    const type = (at(value, path.slice(0, index + 1)) as { type?: string } | undefined)?.type;
    if (schema instanceof z.ZodDiscriminatedUnion) {
      schema = rewardTypes[type as keyof typeof rewardTypes];
    }
  });
  const last = unwrap(schema).inner;
  return last instanceof z.ZodObject ? Object.keys(last.shape) : [];
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
