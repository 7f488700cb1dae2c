import { type OptionDescriptor, trlHint } from '@keel/align/config';

/** Replaces commander's message about an unknown flag if TRL has a flag of that name. */
export function withTrlHint(message: string, descriptors: readonly OptionDescriptor[]): string {
  const flag = /unknown option '--([\w-]+)/.exec(message)?.[1];
  if (flag === undefined) return message;
  const hint = trlHint(flag.replaceAll('-', '_'), descriptors, 'flag');
  // Commander's suggestion is the nearest flag by spelling, which is rarely the one meant.
  return hint === null ? message : `error: unknown option '--${flag}': ${hint}\n`;
}
