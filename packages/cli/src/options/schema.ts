import { defineOptions, methodVerbs, option } from '@keel/align/config';
import { z } from 'zod';

const configurable = [
  ...methodVerbs.map(({ name }) => name),
  ...['compare', 'align', 'best-of-n', 'generate', 'chat', 'score', 'merge', 'tokens'],
];

const defined = defineOptions(
  'schema',
  z.strictObject({
    verb: option(z.enum(configurable), {
      description: 'verb whose YAML file the schema describes',
      group: 'Model and data',
    }),
  }),
  { complete: (parsed) => parsed },
);

// An operand has no flag: messages call it <verb>.
export const definition = {
  ...defined,
  descriptors: defined.descriptors.map((descriptor) => ({ ...descriptor, flag: '<verb>' })),
};

export const operand = 'verb';

export const example = 'npx keel schema dpo > keel-dpo.schema.json';
