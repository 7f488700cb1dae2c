// What a run was asked for: config.yaml with its groups, or the arguments of a TRL run.
import { isPlainObject } from '@keel/model/exact-json';
import { parse } from 'yaml';

/** An option of a run. */
export interface RunOption {
  /** By its YAML key. */
  key: string;
  value: unknown;
  /** The heading that it is under; null: none. */
  group: string | null;
}

/** A run's config.yaml. */
export interface RunConfig {
  /** The verb that its first line names; null if it names none. */
  verb: string | null;
  options: RunOption[];
  /** The file as it is. */
  text: string;
}

/** @throws Error if it is not YAML with options by name */
export function parseConfig(text: string): RunConfig {
  const values: unknown = parse(text);
  if (!isPlainObject(values)) throw new Error('does not contain options by name');
  const groups = new Map<string, string>();
  let group: string | null = null;
  for (const line of text.split('\n')) {
    const heading = /^# (\S.*)$/.exec(line);
    const key = /^([\w-]+):/.exec(line);
    if (heading !== null) group = heading[1]!;
    if (key !== null && group !== null) groups.set(key[1]!, group);
  }
  return {
    verb: /^# keel ([\w-]+)/.exec(text)?.[1] ?? null,
    options: Object.entries(values).map(([key, value]) => ({
      ...{ key, value },
      group: groups.get(key) ?? null,
    })),
    text,
  };
}

/** The value of an option; undefined if the run has none. */
export const optionOf = (config: RunConfig | null, key: string): unknown =>
  config?.options.find((one) => one.key === key)?.value;

/**
 * The arguments that a TRL run logged as a text, with those that are not set left out.
 * @returns null if it logged none
 */
export function trlConfig(texts: ReadonlyMap<string, string>): RunConfig | null {
  const options = (
    [
      ['args', 'Arguments'],
      ['model_config', 'Model'],
    ] as const
  ).flatMap(([tag, group]) => {
    const text = texts.get(tag) ?? texts.get(`${tag}/text_summary`);
    return argumentsIn(text).map(([key, value]) => ({ key, value, group }));
  });
  if (options.length === 0) return null;
  const text = options.map(({ key, value }) => `${key}: ${JSON.stringify(value)}\n`).join('');
  return { verb: null, options, text };
}

function argumentsIn(text: string | undefined): [string, unknown][] {
  try {
    const found: unknown = JSON.parse(text ?? '');
    return isPlainObject(found) ? Object.entries(found).filter(([, value]) => value !== null) : [];
  } catch {
    return [];
  }
}
