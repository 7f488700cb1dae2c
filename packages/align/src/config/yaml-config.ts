import { ConfigError } from './config-error.ts';
import { listed } from './listed.ts';
import { nearest } from './nearest.ts';
import { optionValue } from './option-value.ts';
import type { OptionDescriptor } from './options.ts';
import { refuseProgramParts } from './program-parts.ts';
import { trlHint } from './trl-names.ts';
import { readYamlFile, type YamlFile, type YamlPair } from './yaml-file.ts';

/** An option's value, with its place (`file:line:column`) for messages. */
export interface YamlEntry {
  value: unknown;
  place: string;
}

/** Looking for the nearest option takes time, and a file can have any number of unknown keys. */
const MOST_EXPLAINED = 50;

/** What a verb's YAML file contains, for messages. */
export const OPTIONS = 'a mapping of options, such as "beta: 0.1"';

/**
 * Reads a verb's YAML file: snake_case keys, one value or list each.
 *
 * @param parts keys that are not options; they are skipped
 * @returns entries by the option's camelCase name
 * @throws ConfigError if the file cannot be read or is not YAML, and with file, line and column of
 *   every key that is unknown, a duplicate, or only a flag
 */
export function readYamlConfig(
  path: string,
  descriptors: readonly OptionDescriptor[],
  parts: readonly string[] = [],
): Map<string, YamlEntry> {
  const file = readYamlFile(path, OPTIONS);
  refuseProgramParts(file);
  const pairs = file.pairs.filter((pair) => !parts.includes(file.keyOf(pair)));
  const { entries, problems } = optionEntries(file, pairs, descriptors);
  if (problems.length > 0) throw new ConfigError(problems);
  return entries;
}

/** Reads keys and values as options: entries by camelCase name, and the problems of the others. */
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
    if (!descriptor) {
      const hint = problems.length < MOST_EXPLAINED;
      problems.push(`${place}: ${hint ? unknownKey(key, descriptors) : `unknown key "${key}"`}`);
    } else if (descriptor.flagOnly) {
      problems.push(
        `${place}: "${key}" applies to one command only. Pass the flag ${descriptor.flag}`,
      );
    } else entries.set(descriptor.name, entryOf(file, pair, descriptor));
  }
  return { entries, problems };
}

/** An option's value under its key. */
export function entryOf(file: YamlFile, pair: YamlPair, descriptor: OptionDescriptor): YamlEntry {
  const { written, place } = file.writtenOf(pair);
  return { value: optionValue(descriptor, written), place };
}

/** The message for a key that is not an option. */
export function unknownKey(key: string, descriptors: readonly OptionDescriptor[]): string {
  const known = descriptors.filter(({ flagOnly }) => !flagOnly).map(({ yamlKey }) => yamlKey);
  if (key === '<<') return 'merge keys (<<) are not supported. Write the options out';
  const trl = trlHint(key, descriptors, 'yaml');
  return trl ? `unknown key "${key}": ${trl}` : unknownName('key', key, known);
}

/** The message for an unknown name. @param what "key" */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  const near = nearest(name.replace(/^-+/, '').replaceAll('-', '_'), known);
  return near
    ? `unknown ${what} "${name}"; did you mean "${near}"?`
    : `unknown ${what} "${name}". ${listed('Use one of', known)}`;
}
