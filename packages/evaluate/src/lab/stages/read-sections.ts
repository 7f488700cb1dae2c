// Reads a section of a lab's file: it has options of its own and those of the verb that it runs.
import { ConfigError, type OptionsDefinition } from '@keel/align/config';
import {
  describeWritten,
  isNull,
  optionEntries,
  resolveEntries,
  type YamlEntry,
  type YamlFile,
  type YamlPair,
} from '@keel/align/internal';

// biome-ignore lint/suspicious/noExplicitAny: every verb's schema has its own shape
type VerbDefinition = OptionsDefinition<any, any>;

export interface Section<Own> {
  /** Whether the file has it. */
  written: boolean;
  /** `file:line:column: name`, for messages. */
  place: string;
  own: Own;
  /** Options of its verb, by camelCase name. */
  entries: ReadonlyMap<string, YamlEntry>;
}

/** The pairs of a section; reports a problem if it is no mapping. */
export function sectionPairs(
  file: YamlFile,
  pair: YamlPair | undefined,
  problems: string[],
): readonly YamlPair[] {
  if (pair === undefined) return [];
  const pairs = file.pairsIn(pair);
  if (pairs !== null) return pairs;
  const { written, place } = file.writtenOf(pair);
  if (written.kind !== 'scalar' || !isNull(written))
    problems.push(`${place}: expected a mapping of options, found ${describeWritten(written)}`);
  return [];
}

/**
 * @param verb null: the section runs no verb
 * @param set options of the verb that the lab sets itself, by camelCase name
 * @returns null if something is wrong, which `problems` then says
 */
export function readSection<Own>(
  {
    file,
    pairs,
    problems,
  }: { file: YamlFile; pairs: ReadonlyMap<string, YamlPair>; problems: string[] },
  name: string,
  // biome-ignore lint/suspicious/noExplicitAny: a section's schema has its own shape
  own: OptionsDefinition<any, Own>,
  verb: VerbDefinition | null,
  set: readonly string[],
): Section<Own> | null {
  const pair = pairs.get(name);
  const place = pair === undefined ? name : `${file.placeOf(pair.key)}: ${name}`;
  const of = (definition: VerbDefinition | null) =>
    (definition?.descriptors ?? []).filter((one) => !own.descriptors.includes(one));
  const free = of(verb).filter((one) => !set.includes(one.name));
  const mine: YamlPair[] = [];
  const others: YamlPair[] = [];
  const before = problems.length;
  for (const one of sectionPairs(file, pair, problems)) {
    const key = file.keyOf(one);
    const known = of(verb).find(({ yamlKey }) => yamlKey === key);
    if (own.descriptors.some(({ yamlKey }) => yamlKey === key)) mine.push(one);
    else if (known !== undefined && !free.includes(known)) {
      problems.push(`${file.placeOf(one.key)}: ${key}: the lab sets it. Remove it from ${name}`);
    } else others.push(one);
  }
  const found = optionEntries(file, mine, own.descriptors);
  // Own options are known too, for the suggestion to an unknown key.
  const options = optionEntries(file, others, [...own.descriptors, ...free]);
  problems.push(...found.problems, ...options.problems);
  const resolved = resolving(
    () => ({ own: resolveEntries(own, { entries: found.entries, place }) }),
    problems,
  );
  if (resolved === null || problems.length > before) return null;
  return { written: pair !== undefined, place, own: resolved.own, entries: options.entries };
}

/** @returns null if the options have problems, which are added to the others */
export function resolving<Value>(make: () => Value, problems: string[]): Value | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return null;
  }
}
