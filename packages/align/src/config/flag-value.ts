import type { OptionDescriptor } from './options.ts';

/** What the command line hands over for one flag: its text, several texts, or a value already typed. */
export type FlagInput = unknown;

/**
 * Turns what stood behind a flag into the option's value. Text that is not of the option's type is
 * left as it is, so that the schema says what was expected.
 */
export function flagValue(descriptor: OptionDescriptor, input: FlagInput): unknown {
  // What the command line gives for a flag without its value.
  if (input === true && descriptor.bare !== undefined) return descriptor.bare;
  if (!descriptor.list) return typeof input === 'string' ? scalar(descriptor, input) : input;
  const inputs = Array.isArray(input) ? input : [input];
  if (descriptor.nullable && inputs.length === 1 && inputs[0] === 'none') return null;
  return inputs.flatMap((item) => {
    if (typeof item !== 'string') return [item];
    const parts = descriptor.commas === false ? [item] : item.split(',');
    return parts.map((part) => scalar({ ...descriptor, nullable: false }, part.trim()));
  });
}

function scalar(descriptor: OptionDescriptor, text: string): unknown {
  if (descriptor.nullable && text === 'none') return null;
  switch (descriptor.type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'number':
    case 'integer': {
      const value = Number(text);
      return text.trim() === '' || Number.isNaN(value) ? text : value;
    }
    case 'string':
      return text;
  }
}
