// A YAML file that is a mapping: its keys, its values as written, and their places.
import { readFileSync } from 'node:fs';
import { inPlainWords } from '@keel/model/engine-words';
import { fileError } from '@keel/model/without-torch';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  type ParsedNode,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
} from 'yaml';
import { ConfigError } from './config-error.ts';
import type { Written } from './written.ts';

/** A key and its value in the file. */
export type YamlPair = Pair<ParsedNode, ParsedNode | null>;

interface Placed {
  range?: readonly [number, ...unknown[]] | null;
}

/** A YAML file that is a mapping. */
export interface YamlFile {
  text: string;
  /** Of the top level; none if the file is empty. */
  pairs: readonly YamlPair[];
  document: Document.Parsed;
  /** `file:line:column` of a place in the text. */
  placeAt(offset: number): string;
  /** `file:line:column` of a key, or of a value. */
  placeOf(node: Placed): string;
  keyOf(pair: YamlPair): string;
  /** The value as written, and its place; an alias is resolved. */
  writtenOf(pair: YamlPair): { written: Written; place: string };
  /** The keys of a value that is a mapping, or null. */
  pairsIn(pair: YamlPair): readonly YamlPair[] | null;
  /** The items of a value that is a list, with the keys of those that are mappings, or null. */
  itemsIn(pair: YamlPair): readonly { place: string; pairs: readonly YamlPair[] | null }[] | null;
}

/**
 * Reads a YAML file that is a mapping.
 * @param what the file should contain, for messages: `a mapping of options, such as "beta: 0.1"`
 * @throws ConfigError if the file cannot be read, is not YAML in UTF-8, or is not a mapping
 */
export function readYamlFile(path: string, what: string): YamlFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new ConfigError([(fileError(error, { path, use: 'read' }) as Error).message]);
  }
  return parseYamlFile(decode(bytes, path), path, what);
}

/** `readYamlFile` for text that is already read; `path` is for messages. */
export function parseYamlFile(text: string, path: string, what: string): YamlFile {
  return inPlainWords(
    (reason, cause) => new ConfigError([`${path}: cannot be used: ${reason}`], { cause }),
    () => parsed(text, path, what),
  );
}

function parsed(text: string, path: string, what: string): YamlFile {
  if (text.length > LARGEST) {
    throw new ConfigError([
      `${path}: has ${text.length} characters; a configuration may have at most ${LARGEST}. Check that it is the right file`,
    ]);
  }
  const lines = new LineCounter();
  // The library's check for duplicates takes quadratic time.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false };
  const document = parseDocument(text, options);
  const placeAt = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    throw new ConfigError(
      faults.map((fault) => `${placeAt(fault.pos[0])}: ${explainFault(fault, text)}`),
    );
  }
  const { repeated, aliases } = survey(document);
  if (repeated.length > 0) {
    throw new ConfigError(
      repeated.map(
        (key) =>
          `${placeAt(key.range?.[0] ?? 0)}: the key "${keyText(key)}" is a duplicate. Remove it`,
      ),
    );
  }
  if (aliases > MOST_ALIASES) {
    throw new ConfigError([
      `${path}: has ${aliases} aliases (*name); at most ${MOST_ALIASES} are allowed. Write the values out`,
    ]);
  }
  const root = document.contents;
  const empty = root === null || (isScalar(root) && root.value === null);
  const map = isMap(root) ? root : null;
  if (!empty && map === null) {
    const found = isSeq(root) ? 'a list' : 'a single value';
    throw new ConfigError([`${placeAt(root.range[0])}: expected ${what}, found ${found}`]);
  }
  const placeOf: YamlFile['placeOf'] = ({ range }) => placeAt(range?.[0] ?? 0);
  const resolve = (node: unknown, place: string): unknown => {
    if (!isAlias(node)) return node;
    const found = node.resolve(document);
    if (found === undefined) {
      throw new ConfigError([
        `${place}: *${node.source} has no anchor. Define &${node.source} before it, or write the value out`,
      ]);
    }
    return found;
  };
  let values = 0;
  const written = (node: unknown, within: ReadonlySet<unknown> = new Set()): Written => {
    const place = placeOf((node as Placed | null) ?? {});
    values += 1;
    if (values > MOST_VALUES) {
      throw new ConfigError([
        `${place}: with its aliases (*name), the file has more than ${MOST_VALUES} values. Use fewer aliases`,
      ]);
    }
    const found = resolve(node, place);
    if (within.has(found)) throw new ConfigError([`${place}: an anchor cannot contain itself`]);
    const inside = new Set(within).add(found);
    if (isMap(found)) {
      const entries = (found.items as YamlPair[]).map(
        (pair) => [keyOf(pair), written(pair.value, inside)] as const,
      );
      return { kind: 'map', entries };
    }
    if (isSeq(found)) {
      return { kind: 'list', items: found.items.map((item) => written(item, inside)) };
    }
    return writtenScalar(found as Scalar | null);
  };
  const placeOfValue = ({ key, value }: YamlPair): string => placeOf(value?.range ? value : key);
  return {
    text,
    document,
    pairs: (map?.items ?? []) as YamlPair[],
    placeAt,
    placeOf,
    keyOf,
    writtenOf: (pair) => ({ written: written(pair.value), place: placeOfValue(pair) }),
    pairsIn: (pair) => {
      const found = resolve(pair.value, placeOfValue(pair));
      return isMap(found) ? (found.items as YamlPair[]) : null;
    },
    itemsIn: (pair) => {
      const found = resolve(pair.value, placeOfValue(pair));
      if (!isSeq(found)) return null;
      return found.items.map((item) => {
        const place = placeOf((item as Placed | null) ?? {});
        const one = resolve(item, place);
        return { place, pairs: isMap(one) ? (one.items as YamlPair[]) : null };
      });
    },
  };
}

const keyText = (key: unknown): string =>
  isScalar(key) ? ((key as Scalar).source ?? '') : String(key);

const keyOf = ({ key }: YamlPair): string => keyText(key);

/** Characters of a file. The largest recipes have a few thousand. */
const LARGEST = 4_000_000;
/** Resolving one searches the whole file. */
const MOST_ALIASES = 100;
/** Including those that aliases repeat: nested aliases can multiply without bound. */
const MOST_VALUES = 1_000_000;

/** Keys that are duplicates in their mapping, and the number of aliases. */
function survey(document: Document.Parsed): { repeated: ParsedNode[]; aliases: number } {
  const repeated: ParsedNode[] = [];
  let aliases = 0;
  visit(document, {
    Alias: () => {
      aliases += 1;
    },
    Map: (_, { items }) => {
      const seen = new Set<string>();
      for (const { key } of items as YamlPair[]) {
        const text = keyText(key);
        if (seen.has(text)) repeated.push(key);
        seen.add(text);
      }
    },
  });
  return { repeated, aliases };
}

function writtenScalar(scalar: Scalar | null): Written {
  const { source = '', type, tag } = scalar ?? {};
  const quoted = (type !== undefined && type !== 'PLAIN') || tag === 'tag:yaml.org,2002:str';
  return { kind: 'scalar', text: source, quoted };
}

/** @throws ConfigError if the bytes are not UTF-8 */
function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const wide = bytes.length > 1 && (bytes[0]! ^ bytes[1]!) === 1 && bytes[0]! >= 0xfe;
    // Every line before the first invalid byte decodes.
    const line = bytes.toString('utf8').split('\uFFFD')[0]!.split('\n').length;
    throw new ConfigError([
      `${path}:${wide ? 1 : line}: not UTF-8${wide ? ' (it looks like UTF-16)' : ''}. Save the file as UTF-8`,
    ]);
  }
}

/** What is wrong with the YAML, and what to write instead. */
function explainFault({ code, message, pos: [start, end] }: YAMLError, text: string): string {
  // The library catches stack overflows itself.
  if (/call stack|stack overflow/i.test(message)) return 'its contents are nested too deeply';
  switch (code) {
    case 'MULTIPLE_DOCS':
      return 'a second document starts here. Put everything into one';
    case 'TAB_AS_INDENT':
      return 'not valid YAML: a tab indents this line. Indent with spaces';
    case 'TAG_RESOLVE_FAILED':
      if (text.slice(start).startsWith('!function')) {
        return '!function names a Python function, which Keel does not run. Write the key as a column or a Jinja template, or remove it if the task does not need it';
      }
      return `unknown tag ${text.slice(start, end).trim()}. Remove it, or put quotes around a text that starts with "!"`;
    case 'BAD_SCALAR_START':
      return `not valid YAML: a value cannot start with ${text.slice(start, end).slice(0, 1)}. Put quotes around it`;
    case 'BLOCK_AS_IMPLICIT_KEY':
      return `not valid YAML: ${message}. Put quotes around a value that contains ": "`;
    default:
      return `not valid YAML: ${message}`;
  }
}
