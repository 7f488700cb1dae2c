import { Argument, type Command, Option } from 'commander';
import type { OptionDescriptor } from './torch-free/align-config.ts';

/** Gives a command the flags of a verb, grouped for its help; `operand` names the option without a flag. */
export function addFlags(
  command: Command,
  descriptors: readonly OptionDescriptor[],
  operand?: string,
): void {
  const lasting = descriptors.filter(({ flagOnly }) => !flagOnly);
  const ofThisCall = descriptors.filter(({ flagOnly }) => flagOnly);
  for (const descriptor of [...lasting, ...ofThisCall]) {
    if (descriptor.name === operand) {
      command.addArgument(new Argument(`[${operand}]`, helpText(descriptor)));
      continue;
    }
    const { usage, flag, negatedFlag, group } = descriptor;
    command.addOption(new Option(usage, helpText(descriptor)).helpGroup(`${group}:`));
    if (negatedFlag === null) continue;
    const other = usage === flag ? negatedFlag : flag;
    command.addOption(new Option(other).hideHelp());
  }
  // Beside the flags of this call, which stand last; a verb that has none of them has a single group.
  const heading = `${(ofThisCall.at(-1) ?? lasting[0])?.group ?? 'Options'}:`;
  command.addHelpOption(new Option('-h, --help', 'show this help').helpGroup(heading));
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
