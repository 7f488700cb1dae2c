import { ConfigError, flagValue, type OptionDescriptor } from '@keel/align/config';
import { Argument, type Command, Option } from 'commander';

/** Values given for each flag of a command, in order. */
const occurrences = new WeakMap<Command, Map<string, string[]>>();

/**
 * Adds the flags of a verb to a command.
 * @param operand name of the option that is given without a flag
 */
export function addFlags(
  command: Command,
  descriptors: readonly OptionDescriptor[],
  operand?: string,
): void {
  const given = new Map<string, string[]>();
  occurrences.set(command, given);
  const add = (option: Option, { name }: OptionDescriptor): void => {
    command.addOption(option);
    command.on(`option:${option.name()}`, (value: string | null) => {
      const text = option.required || option.optional ? (value ?? '') : String(!option.negate);
      given.set(name, [...(given.get(name) ?? []), text]);
    });
  };
  const rare: Option[] = [];
  const negated: Option[] = [];
  const terms = new Map<Option, string>();
  for (const descriptor of requiredFirst(descriptors)) {
    if (descriptor.name === operand) {
      const shown = descriptor.list ? `${operand}...` : operand;
      command.addArgument(new Argument(`[${shown}]`, helpText(descriptor)));
      command.usage(`<${shown}> [options]`);
      continue;
    }
    const { usage, flag, negatedFlag, group, required, common } = descriptor;
    const option = new Option(negatedFlag === null ? usage : flag, helpText(descriptor));
    option.helpGroup(`${required ? 'Required' : group}:`);
    if (!common) rare.push(option);
    terms.set(option, usage);
    add(option, descriptor);
    if (negatedFlag === null) continue;
    negated.push(new Option(negatedFlag));
    add(negated.at(-1)!, descriptor);
  }
  command.configureHelp({
    ...command.configureHelp(),
    optionTerm: (option) => terms.get(option) ?? option.flags,
  });
  addHelpFlags(command, rare, negated);
}

/**
 * Adds `--help`, which lists the common options, and `--help-all`. Options are hidden only when
 * help is printed, since commander does not suggest hidden options for misspelt ones.
 */
function addHelpFlags(command: Command, rare: readonly Option[], negated: readonly Option[]): void {
  const heading = 'Command line only:';
  let all = rare.length === 0;
  const what = all ? 'show this help' : 'show the most common options';
  command.addHelpOption(new Option('-h, --help', what).helpGroup(heading));
  const helpAll = new Option('--help-all', 'show all options').helpGroup(heading).hideHelp(all);
  command.addOption(helpAll);
  command.addHelpText('before', () => {
    for (const option of all ? negated : [...negated, ...rare]) option.hideHelp();
    return '';
  });
  command.on('option:help-all', () => {
    all = true;
    command.help();
  });
  command.addHelpText('after', () =>
    all ? '' : `\n${rare.length} more options: keel ${fullName(command)} --help-all`,
  );
}

/** The words that name a command after `keel`. */
function fullName(command: Command): string {
  const names = [command.name()];
  for (let one = command.parent; one?.parent; one = one.parent) names.unshift(one.name());
  return names.join(' ');
}

const requiredFirst = (descriptors: readonly OptionDescriptor[]): OptionDescriptor[] => [
  ...descriptors.filter(({ required }) => required),
  ...descriptors.filter(({ required }) => !required),
];

/**
 * Rewrites `--lora=true` and `--lora true` as `--lora`, and `--lora=false` and `--lora false` as
 * `--no-lora`, since commander's booleans take no value.
 * @param operand whether the verb takes an argument without a flag, which may follow a boolean
 * @throws ConfigError for another value
 */
export function withPlainBooleans(
  args: readonly string[],
  descriptors: readonly OptionDescriptor[],
  operand = false,
): string[] {
  const problems: string[] = [];
  const plain: string[] = [];
  const end = args.indexOf('--');
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    plain.push(arg);
    const [, flag, given] = /^(--[a-z-]+)(?:=([\s\S]*))?$/.exec(arg) ?? [];
    if (flag === undefined || (end >= 0 && at > end)) continue;
    // This may be the value of the flag before it.
    const before = descriptors.find((one) => one.flag === args[at - 1]);
    if (before !== undefined && before.negatedFlag === null && before.bare === undefined) continue;
    const named = descriptors.find((one) => flag === one.flag || flag === one.negatedFlag);
    if (named === undefined || named.negatedFlag === null) continue;
    const next = args[at + 1];
    const separate = given === undefined && next !== undefined && !next.startsWith('-');
    const value = separate ? next : given;
    if (value === undefined) continue;
    const means = flagValue(named, value);
    if (typeof means === 'boolean') {
      plain[plain.length - 1] = means === (flag === named.flag) ? named.flag : named.negatedFlag;
      if (separate) at++;
    } else if (!separate || !operand) {
      problems.push(`${flag}: expected true or false, found ${JSON.stringify(value)}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return plain;
}

/** The flags on the command line, by the option's name. */
export function givenFlags(
  command: Command,
  descriptors: readonly OptionDescriptor[],
  operand?: string,
): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const { name } of descriptors) {
    if (name === operand) given[name] = operandOf(command);
    else if (command.getOptionValueSource(name) === 'cli') {
      given[name] = command.getOptionValue(name);
    }
  }
  return given;
}

function operandOf(command: Command): unknown {
  const value: unknown = command.processedArgs[0];
  // Commander has no way to tell that a list is absent.
  return Array.isArray(value) && value.length === 0 ? undefined : value;
}

/** A note for each flag of one value that was given several different ones. */
export function repeatedFlags(
  command: Command,
  descriptors: readonly OptionDescriptor[],
): string[] {
  return descriptors.flatMap(({ name, flag, list, negatedFlag }) => {
    const values = occurrences.get(command)?.get(name) ?? [];
    if (list || new Set(values).size < 2) return [];
    const last = values.at(-1)!;
    if (negatedFlag === null) {
      return [`${flag} is given ${values.length} times; the last one counts: ${last}`];
    }
    const counts = last === 'true' ? flag : negatedFlag;
    return [`${flag} and ${negatedFlag} are both given; the last one counts: ${counts}`];
  });
}

/** Every option has its default here, except flags of one command, which are off by default. */
function helpText(descriptor: OptionDescriptor): string {
  const { description, choices, required, flagOnly } = descriptor;
  const text = choices === null ? description : `${description}; one of ${choices.join(', ')}`;
  if (required || (flagOnly && descriptor.default === false)) return text;
  return `${text} (default: ${descriptor.shownDefault ?? defaultText(descriptor.default)})`;
}

function defaultText(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return Array.isArray(value) ? value.join(',') : String(value);
}
