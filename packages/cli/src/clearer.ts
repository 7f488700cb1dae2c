import { type OptionDescriptor, trlHint } from '@keel/align/config';

/**
 * Commander's message in Keel's words: "verb" for a command, the option that is meant for a flag of
 * another trainer, and what is wrong with an argument without a flag.
 */
export function clearer(message: string, descriptors: readonly OptionDescriptor[] = []): string {
  const [, verb, near] =
    /unknown command '([^']*)'(?:\s*\(Did you mean (?:one of )?([^?]*)\?\))?/.exec(message) ?? [];
  if (verb !== undefined) {
    const hint =
      near === undefined ? '' : `. Did you mean ${near.replace(/, (?=[^,]*$)/, ' or ')}?`;
    return `error: unknown verb "${verb}"${hint}\n`;
  }
  const flag = /unknown option '--([\w-]+)/.exec(message)?.[1];
  if (flag !== undefined) return unknownFlag(message, flag, descriptors);
  const [, name, found] =
    /too many arguments for '([^']+)'.* but got \d+: (.*)\.\s*$/.exec(message) ?? [];
  if (found === undefined) return message;
  return `error: keel ${name} does not accept "${found}": write an option before each value\n`;
}

/** Commander suggests the nearest flag by spelling, which is rarely the one of another trainer. */
function unknownFlag(
  message: string,
  flag: string,
  descriptors: readonly OptionDescriptor[],
): string {
  const hint = trlHint(flag.replaceAll('-', '_'), descriptors, 'flag');
  return hint === null ? message : `error: unknown option '--${flag}': ${hint}\n`;
}
