import { optionValue } from './option-value.ts';
import type { OptionDescriptor } from './options.ts';
import { type Written, writtenFlag } from './written.ts';

/**
 * What the command line hands over for one flag: its text, several texts, or a value already typed.
 */
export type FlagInput = unknown;

/**
 * Turns what stood behind a flag into the option's value. Text that is not of the option's type
 * stays as it is, so that the schema reports what was expected.
 */
export function flagValue(descriptor: OptionDescriptor, input: FlagInput): unknown {
  // What the command line gives for a flag without its value.
  if (input === true && descriptor.bare !== undefined) return descriptor.bare;
  const written = (text: string): Written =>
    descriptor.literal ? { kind: 'scalar', text, quoted: true } : writtenFlag(text);
  const read = (one: unknown): unknown =>
    typeof one === 'string' ? optionValue(descriptor, written(one)) : one;
  if (!descriptor.list) return read(input);
  const inputs = Array.isArray(input) ? input : [input];
  if (inputs.length === 1 && read(inputs[0]) === null) return null;
  return inputs.flatMap((one) => {
    const values = read(one);
    // Among several texts, `none` is one of them.
    return values === null ? [one] : Array.isArray(values) ? values : [values];
  });
}
