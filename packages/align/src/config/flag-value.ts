import { optionValue } from './option-value.ts';
import type { OptionDescriptor } from './options.ts';
import { type Written, writtenFlag } from './written.ts';

/** The input of one flag: its text, several texts, or a typed value. */
export type FlagInput = unknown;

/**
 * Converts a flag's input into the option's value. Text that is not of the option's type stays
 * unchanged, so that the schema reports what it expected.
 */
export function flagValue(descriptor: OptionDescriptor, input: FlagInput): unknown {
  // commander passes true for a flag without its value.
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
    // In a list of several texts, `none` is an ordinary text.
    return values === null ? [one] : Array.isArray(values) ? values : [values];
  });
}
