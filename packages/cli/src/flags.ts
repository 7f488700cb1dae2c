import { Argument, type Command, Option } from 'commander';
import { ConfigError, flagValue, type OptionDescriptor } from './torch-free/align-config.ts';

/** What each flag of a command was given, in order. */
const occurrences = new WeakMap<Command, Map<string, string[]>>();

/**
 * Gives a command the flags of a verb, grouped for its help; `operand` names the option without a
 * flag.
 */
export function addFlags(
  command: Command,
  descriptors: readonly OptionDescriptor[],
  operand?: string,
): void {
  const lasting = descriptors.filter(({ flagOnly }) => !flagOnly);
  const ofThisCall = descriptors.filter(({ flagOnly }) => flagOnly);
  const given = new Map<string, string[]>();
  occurrences.set(command, given);
  const add = (option: Option, { name }: OptionDescriptor): void => {
    command.addOption(option);
    command.on(`option:${option.name()}`, (value: string | null) => {
      const text = option.required || option.optional ? (value ?? '') : String(!option.negate);
      given.set(name, [...(given.get(name) ?? []), text]);
    });
  };
  for (const descriptor of [...lasting, ...ofThisCall]) {
    if (descriptor.name === operand) {
      command.addArgument(new Argument(`[${operand}]`, helpText(descriptor)));
      continue;
    }
    const { usage, flag, negatedFlag, group } = descriptor;
    add(new Option(usage, helpText(descriptor)).helpGroup(`${group}:`), descriptor);
    if (negatedFlag === null) continue;
    const other = usage === flag ? negatedFlag : flag;
    add(new Option(other).hideHelp(), descriptor);
  }
  // Beside the flags of this call, which stand last; a verb that has none of them has a single
  // group.
  const heading = `${(ofThisCall.at(-1) ?? lasting[0])?.group ?? 'Options'}:`;
  command.addHelpOption(new Option('-h, --help', 'show this help').helpGroup(heading));
}

/**
 * Rewrites `--lora=true` as `--lora` and `--lora=false` as `--no-lora`, which is how flags without
 * a value are parsed.
 * @throws ConfigError for another value
 */
export function withPlainBooleans(
  args: readonly string[],
  descriptors: readonly OptionDescriptor[],
): string[] {
  const problems: string[] = [];
  const end = args.indexOf('--');
  const found = args.map((arg, at) => {
    const [, flag, value = ''] = /^(--[a-z-]+)=([\s\S]*)$/.exec(arg) ?? [];
    if (flag === undefined || (end >= 0 && at > end)) return arg;
    // The value of the flag before it.
    const before = descriptors.find((one) => one.flag === args[at - 1]);
    if (before !== undefined && before.negatedFlag === null && before.bare === undefined)
      return arg;
    const named = descriptors.find((one) => flag === one.flag || flag === one.negatedFlag);
    if (named === undefined || named.negatedFlag === null) return arg;
    const means = flagValue(named, value);
    if (typeof means === 'boolean') {
      return means === (flag === named.flag) ? named.flag : named.negatedFlag;
    }
    problems.push(`${flag}: expected true or false, found ${JSON.stringify(value)}`);
    return arg;
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return found;
}

/** The flags that were really given, by the option's name. */
export function givenFlags(
  command: Command,
  descriptors: readonly OptionDescriptor[],
  operand?: string,
): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const { name } of descriptors) {
    if (name === operand) given[name] = command.processedArgs[0];
    else if (command.getOptionValueSource(name) === 'cli') {
      given[name] = command.getOptionValue(name);
    }
  }
  return given;
}

/** Flags of one value that were given several that differ, and which one counts. */
export function repeatedFlags(
  command: Command,
  descriptors: readonly OptionDescriptor[],
): string[] {
  return descriptors.flatMap(({ name, flag, list, negatedFlag }) => {
    const values = occurrences.get(command)?.get(name) ?? [];
    if (list || new Set(values).size < 2) return [];
    const last = values.at(-1)!;
    if (negatedFlag === null) {
      return [`${flag} is there ${values.length} times; the last one counts: ${last}`];
    }
    const counts = last === 'true' ? flag : negatedFlag;
    return [`${flag} and ${negatedFlag} are both there; the last one counts: ${counts}`];
  });
}

function helpText(descriptor: OptionDescriptor): string {
  const { description, choices } = descriptor;
  const notes: string[] = [];
  if (choices !== null) notes.push(`one of ${choices.join(', ')}`);
  if (descriptor.required) notes.push('required');
  else if (descriptor.default !== false)
    notes.push(`default: ${descriptor.shownDefault ?? defaultText(descriptor.default)}`);
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

function defaultText(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (value === true) return 'on';
  return Array.isArray(value) ? value.join(',') : String(value);
}
