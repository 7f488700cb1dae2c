import { type OptionDescriptor, trlHint } from './torch-free/align-config.ts';

/**
 * Adds to commander's complaint of an unknown flag what the option is called here, where the name
 * is TRL's.
 */
export function withTrlHint(complaint: string, descriptors: readonly OptionDescriptor[]): string {
  const flag = /unknown option '--([\w-]+)/.exec(complaint)?.[1];
  if (flag === undefined) return complaint;
  const hint = trlHint(
    flag.replaceAll('-', '_'),
    descriptors.map(({ yamlKey }) => yamlKey),
  );
  // What commander thinks near is not what a name of TRL's means.
  return hint === null
    ? complaint
    : `error: unknown option '--${flag}': ${asFlag(hint, descriptors)}\n`;
}

/**
 * `write lora_rank` as "give --lora-rank", `write lora: true` as "give --lora"; what is longer
 * stays, as it is for YAML.
 */
function asFlag(hint: string, descriptors: readonly OptionDescriptor[]): string {
  const [, key, value] = /^write (\w+)(?:: ([\w.-]+))?$/.exec(hint) ?? [];
  const found = descriptors.find(({ yamlKey }) => yamlKey === key);
  if (found === undefined) return hint.startsWith('write ') ? `in a YAML file, ${hint}` : hint;
  if (value === 'true') return `give ${found.flag}`;
  if (value === 'false') return `give ${found.negatedFlag ?? found.flag}`;
  return `give ${found.flag}${value === undefined ? '' : ` ${value}`}`;
}
