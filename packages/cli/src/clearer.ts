import { nearest, type OptionDescriptor, trlHint } from '@keel/align/config';
import { verbs } from './verb-list.ts';

/**
 * Commander's message in Keel's words: "verb" for a command, the option that is meant for a flag of
 * another trainer, and what an argument without a flag may be.
 */
export function clearer(message: string, descriptors: readonly OptionDescriptor[] = []): string {
  const verb = /unknown command '([^']*)'/.exec(message)?.[1];
  if (verb !== undefined) return unknownVerb(verb);
  const flag = /unknown option '--([\w-]+)/.exec(message)?.[1];
  if (flag !== undefined) return unknownFlag(message, flag, descriptors);
  const [, of, found] =
    /too many arguments for '([^']+)'.* but got \d+: (.*)\.\s*$/.exec(message) ?? [];
  if (found === undefined) return message;
  return `error: keel ${of} does not take ${JSON.stringify(found)}: each value needs its flag before it\n`;
}

function unknownVerb(name: string): string {
  const names = verbs.map((verb) => verb.name);
  const near = nearest(name, names);
  const hint = near === null ? `Use one of ${names.join(', ')}` : `Did you mean "${near}"?`;
  return `error: unknown verb "${name}". ${hint}\n`;
}

/** Commander suggests the nearest flag by spelling, which is rarely the one of another trainer. */
function unknownFlag(
  message: string,
  flag: string,
  descriptors: readonly OptionDescriptor[],
): string {
  const name = flag.replaceAll('-', '_');
  const hint = trlHint(name, descriptors, 'flag');
  return hint === null ? message : `error: unknown option '--${flag}': ${hint}\n`;
}
