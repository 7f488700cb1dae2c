import type { OptionsDefinition } from './options.ts';
import { MappingText, yamlText } from './yaml-text.ts';

/** Options by their YAML keys, without those that apply to one command only. */
export function yamlValues(
  definition: Pick<OptionsDefinition, 'descriptors'>,
  options: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { name, yamlKey, flagOnly, sparse } of definition.descriptors) {
    if (flagOnly || (sparse && options[name] === undefined)) continue;
    values[yamlKey] = options[name] ?? null;
  }
  return values;
}

/**
 * The text of a run's config.yaml: every option with its value, including defaults, under the
 * headings of --help. Reading it back with `resolveOptions` gives the same options.
 */
export function writeConfigYaml(
  definition: Pick<OptionsDefinition, 'descriptors' | 'verb'>,
  options: Readonly<Record<string, unknown>>,
): string {
  const values = yamlValues(definition, options);
  const groups = new Map<string, Record<string, unknown>>();
  for (const { group, yamlKey, flagOnly, type } of definition.descriptors) {
    if (flagOnly || !(yamlKey in values)) continue;
    const entries = groups.get(group) ?? {};
    const value = values[yamlKey];
    entries[yamlKey] = type === 'map' && typeof value === 'string' ? new MappingText(value) : value;
    groups.set(group, entries);
  }
  const sections = [...groups].map(([group, entries]) => `# ${group}\n${yamlText(entries)}`);
  return [`# keel ${definition.verb}, every option with its value\n`, ...sections].join('\n');
}
