import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, type Pair, type ParsedNode, parseDocument } from 'yaml';
import { ConfigError } from './config-error.ts';
import { nearest } from './nearest.ts';
import type { OptionDescriptor } from './options.ts';
import { trlHint } from './trl-names.ts';

/** A value of a YAML file, with where it stands (`file:line:column`) for later complaints. */
export interface YamlEntry {
  value: unknown;
  place: string;
}

/**
 * Reads a verb's YAML file: snake_case keys, one value or list each.
 *
 * @returns entries by the option's camelCase name.
 * @throws ConfigError for a file that cannot be read or is not YAML, and naming file, line and
 * column of every key that is unknown, repeated or belongs on the command line.
 */
export function readYamlConfig(
  path: string,
  descriptors: readonly OptionDescriptor[],
): Map<string, YamlEntry> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`${path}: cannot read the configuration: ${(error as Error).message}`]);
  }
  return parseYamlConfig(text, path, descriptors);
}

/** As `readYamlConfig`, on text already read; `path` is only named in errors. */
export function parseYamlConfig(
  text: string,
  path: string,
  descriptors: readonly OptionDescriptor[],
): Map<string, YamlEntry> {
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
  const entries = new Map<string, YamlEntry>();
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return entries;
  if (!isMap(root)) {
    throw new ConfigError([
      `${place(root.range[0])}: expected a mapping of options, such as "beta: 0.1"`,
    ]);
  }
  const problems: string[] = [];
  for (const pair of root.items as Pair<ParsedNode, ParsedNode | null>[]) {
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    const keyPlace = place(pair.key.range[0]);
    const descriptor = descriptors.find((candidate) => candidate.yamlKey === key);
    if (!descriptor) problems.push(`${keyPlace}: ${unknownKey(key, descriptors)}`);
    else if (descriptor.flagOnly) {
      problems.push(`${keyPlace}: "${key}" belongs to one call; give the flag ${descriptor.flag}`);
    } else {
      const value = pair.value === null ? null : pair.value.toJS(document);
      const at = pair.value?.range ? place(pair.value.range[0]) : keyPlace;
      entries.set(descriptor.name, { value, place: at });
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return entries;
}

function unknownKey(key: string, descriptors: readonly OptionDescriptor[]): string {
  const known = descriptors.filter(({ flagOnly }) => !flagOnly).map(({ yamlKey }) => yamlKey);
  const trl = trlHint(key, known);
  if (trl) return `unknown key "${key}": ${trl}`;
  const near = nearest(key.replaceAll('-', '_'), known);
  return near
    ? `unknown key "${key}"; did you mean "${near}"?`
    : `unknown key "${key}"; known are ${known.join(', ')}`;
}
