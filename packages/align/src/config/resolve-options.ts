import type { z } from 'zod';
import { snakeCase } from './case.ts';
import { ConfigError } from './config-error.ts';
import { explainIssue } from './explain-issue.ts';
import { type FlagInput, flagValue } from './flag-value.ts';
import { nearest } from './nearest.ts';
import type { OptionDescriptor, OptionsDefinition } from './options.ts';
import { withRunResults } from './run-result.ts';
import { trlHint } from './trl-names.ts';
import { readYamlConfig, type YamlEntry } from './yaml-config.ts';

export interface OptionSources {
  /** Flags on the command line, by camelCase name; text or values. They override YAML. */
  flags?: Readonly<Record<string, FlagInput>>;
  /** Path of a YAML file. It overrides defaults. */
  config?: string | null;
}

/** Options that are a part of a YAML file. */
export interface OptionsPart {
  /** By the option's camelCase name. */
  entries: ReadonlyMap<string, YamlEntry>;
  /** Place of the part in the file, for messages about missing options. */
  place: string;
}

/**
 * A verb's options from flags, a YAML file and the defaults, in this order of precedence, checked
 * and complete.
 *
 * @throws ConfigError with every problem found: the flag or `file:line:column`, what was expected
 *   and what was found
 */
export function resolveOptions<Schema extends z.ZodObject, Options>(
  definition: OptionsDefinition<Schema, Options>,
  { flags = {}, config = null }: OptionSources,
): Options {
  const { descriptors, parts } = definition;
  const entries = config === null ? new Map() : readYamlConfig(config, descriptors, parts);
  const { values, places } = fromEntries(descriptors, entries);
  const problems: string[] = [];
  for (const [name, input] of Object.entries(flags)) {
    if (input === undefined) continue;
    const descriptor = descriptors.find((candidate) => candidate.name === name);
    if (!descriptor) {
      problems.push(unknownFlag(name, descriptors));
      continue;
    }
    for (const group of definition.exclusive) {
      if (!group.includes(name)) continue;
      for (const other of group) if (flags[other] === undefined) delete values[other];
    }
    values[name] = flagValue(descriptor, input);
    places[name] = descriptor.flag;
  }
  const parsed = definition.schema.safeParse(values);
  if (!parsed.success) {
    problems.push(
      ...parsed.error.issues.map((issue) => explain(issue, descriptors, values, places)),
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const given = withRunResults(
    descriptors,
    parsed.data as z.output<Schema>,
    (name) => places[name] ?? name,
  );
  return definition.complete(given);
}

/**
 * {@link resolveOptions} for options that are a part of a YAML file.
 * @throws ConfigError as there
 */
export function resolveEntries<Schema extends z.ZodObject, Options>(
  { schema, descriptors, complete }: OptionsDefinition<Schema, Options>,
  { entries, place }: OptionsPart,
): Options {
  const { values, places } = fromEntries(descriptors, entries);
  const parsed = schema.safeParse(values);
  if (parsed.success) {
    const given = withRunResults(
      descriptors,
      parsed.data as z.output<Schema>,
      (name) => places[name] ?? place,
    );
    return complete(given);
  }
  const explained = parsed.error.issues.map((issue) =>
    explain(issue, descriptors, values, places, place),
  );
  throw new ConfigError(explained);
}

function fromEntries(
  descriptors: readonly OptionDescriptor[],
  entries: ReadonlyMap<string, YamlEntry>,
): { values: Record<string, unknown>; places: Record<string, string> } {
  const values: Record<string, unknown> = {};
  const places: Record<string, string> = {};
  for (const [name, entry] of entries) {
    const descriptor = descriptors.find((candidate) => candidate.name === name)!;
    values[name] = entry.value;
    places[name] = `${entry.place}: ${descriptor.yamlKey}`;
  }
  return { values, places };
}

function unknownFlag(name: string, descriptors: readonly OptionDescriptor[]): string {
  const other = trlHint(snakeCase(name), descriptors, 'property');
  if (other !== null) return `unknown option "${name}": ${other}`;
  const near = nearest(
    name,
    descriptors.map((descriptor) => descriptor.name),
  );
  return `unknown option "${name}"${near ? `; did you mean "${near}"?` : ''}`;
}

function explain(
  issue: z.core.$ZodIssue,
  descriptors: readonly OptionDescriptor[],
  values: Readonly<Record<string, unknown>>,
  places: Readonly<Record<string, string>>,
  part: string | null = null,
): string {
  const descriptor = descriptors.find(({ name }) => name === issue.path[0]);
  if (!descriptor) return part === null ? issue.message : `${part}: ${issue.message}`;
  const own = part === null ? descriptor.flag : `${part}: ${descriptor.yamlKey}`;
  const place = places[descriptor.name] ?? own;
  if (values[descriptor.name] === undefined && issue.code === 'invalid_type') {
    if (part !== null) return `${place} is required: ${descriptor.description}`;
    const readsYaml = !descriptor.flagOnly && descriptors.some(({ name }) => name === 'config');
    const yaml = !readsYaml ? '' : ` (in YAML ${descriptor.yamlKey})`;
    return `${descriptor.flag}${yaml} is required: ${descriptor.description}`;
  }
  return `${place}: ${explainIssue(issue, descriptor, values[descriptor.name])}`;
}
