import type { OptionsDefinition } from '@keel/align/config';

/** The definition for an option that is passed without a flag: messages call it `<name>`. */
export const withOperand = <Definition extends Pick<OptionsDefinition, 'descriptors'>>(
  operand: string,
  definition: Definition,
): Definition => ({
  ...definition,
  descriptors: definition.descriptors.map((one) =>
    one.name === operand ? { ...one, flag: `<${operand}>` } : one,
  ),
});
