import { readFileSync } from 'node:fs';
import {
  type Document,
  isMap,
  isScalar,
  LineCounter,
  type Pair,
  type ParsedNode,
  parseDocument,
} from 'yaml';
import { ConfigError } from './config-error.ts';
import { nearest } from './nearest.ts';
import type { OptionDescriptor } from './options.ts';
import { trlHint } from './trl-names.ts';

/** A value of a YAML file, with where it stands (`file:line:column`) for later complaints. */
export interface YamlEntry {
  value: unknown;
  place: string;
}

/** A key and its value as they stand in the file. */
export type YamlPair = Pair<ParsedNode, ParsedNode | null>;

/** A YAML file that is a mapping. */
export interface YamlFile {
  text: string;
  /** Of the top level; none where the file is empty. */
  pairs: readonly YamlPair[];
  /** `file:line:column` of a key, or of a value. */
  placeOf(node: { range?: readonly [number, ...unknown[]] | null }): string;
  keyOf(pair: YamlPair): string;
  /** With where the value stands. */
  entryOf(pair: YamlPair): YamlEntry;
}

/**
 * Reads a verb's YAML file: snake_case keys, one value or list each.
 *
 * @param parts keys that are no options and are left out
 * @returns entries by the option's camelCase name.
 * @throws ConfigError for a file that cannot be read or is not YAML, and naming file, line and
 * column of every key that is unknown, repeated or belongs on the command line.
 */
export function readYamlConfig(
  path: string,
  descriptors: readonly OptionDescriptor[],
  parts: readonly string[] = [],
): Map<string, YamlEntry> {
  const file = readYamlFile(path, 'options, such as "beta: 0.1"');
  const pairs = file.pairs.filter((pair) => !parts.includes(file.keyOf(pair)));
  return entriesOfFile({ ...file, pairs }, descriptors);
}

/** As `readYamlConfig`, on text already read; `path` is only named in errors. */
export function parseYamlConfig(
  text: string,
  path: string,
  descriptors: readonly OptionDescriptor[],
): Map<string, YamlEntry> {
  return entriesOfFile(parseYamlFile(text, path, 'options, such as "beta: 0.1"'), descriptors);
}

/**
 * Reads a YAML file that is a mapping.
 * @param what it maps, for messages: `options, such as "beta: 0.1"`
 * @throws ConfigError for a file that cannot be read, is not YAML or no mapping
 */
export function readYamlFile(path: string, what: string): YamlFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`${path}: cannot read the configuration: ${(error as Error).message}`]);
  }
  return parseYamlFile(text, path, what);
}

/** As `readYamlFile`, on text already read; `path` is only named in errors. */
export function parseYamlFile(text: string, path: string, what: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => `${place(error.pos[0])}: not valid YAML: ${error.message}`),
    );
  }
  const root = document.contents;
  const empty = root === null || (isScalar(root) && root.value === null);
  const map = isMap(root) ? root : null;
  if (!empty && map === null) {
    throw new ConfigError([`${place(root.range[0])}: expected a mapping of ${what}`]);
  }
  const placeOf: YamlFile['placeOf'] = ({ range }) => place(range?.[0] ?? 0);
  return {
    text,
    pairs: (map?.items ?? []) as YamlPair[],
    placeOf,
    keyOf: ({ key }) => (isScalar(key) ? String(key.value) : ''),
    entryOf: (pair) => entryOf(pair, document, placeOf),
  };
}

function entryOf({ key, value }: YamlPair, document: Document.Parsed, place: YamlFile['placeOf']) {
  const plain: unknown = value === null ? null : value.toJS(document);
  return { value: plain, place: place(value?.range ? value : key) };
}

function entriesOfFile(
  file: YamlFile,
  descriptors: readonly OptionDescriptor[],
): Map<string, YamlEntry> {
  const { entries, problems } = optionEntries(file, file.pairs, descriptors);
  if (problems.length > 0) throw new ConfigError(problems);
  return entries;
}

/** The options among keys and values: entries by camelCase name, and what is wrong with the others. */
export function optionEntries(
  file: YamlFile,
  pairs: readonly YamlPair[],
  descriptors: readonly OptionDescriptor[],
): { entries: Map<string, YamlEntry>; problems: string[] } {
  const entries = new Map<string, YamlEntry>();
  const problems: string[] = [];
  for (const pair of pairs) {
    const key = file.keyOf(pair);
    const place = file.placeOf(pair.key);
    const descriptor = descriptors.find((candidate) => candidate.yamlKey === key);
    if (!descriptor) problems.push(`${place}: ${unknownKey(key, descriptors)}`);
    else if (descriptor.flagOnly) {
      problems.push(`${place}: "${key}" belongs to one call; give the flag ${descriptor.flag}`);
    } else entries.set(descriptor.name, file.entryOf(pair));
  }
  return { entries, problems };
}

/** What to say of a key that is none of the options. */
export function unknownKey(key: string, descriptors: readonly OptionDescriptor[]): string {
  const known = descriptors.filter(({ flagOnly }) => !flagOnly).map(({ yamlKey }) => yamlKey);
  const trl = trlHint(key, known);
  return trl ? `unknown key "${key}": ${trl}` : unknownName('key', key, known);
}

/** What to say of a name that is none of the known ones. @param what "key" */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  const near = nearest(name.replaceAll('-', '_'), known);
  return near
    ? `unknown ${what} "${name}"; did you mean "${near}"?`
    : `unknown ${what} "${name}"; known are ${known.join(', ')}`;
}
