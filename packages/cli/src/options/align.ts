import { z } from 'zod';
import { defineOptions, option, recipeJsonSchema } from '../torch-free/align-config.ts';
import { callShape } from './shared.ts';

const group = 'This call';

const schema = z.strictObject({
  recipe: option(z.string().min(1), {
    description: 'YAML file of stages; those that are done and unchanged are not run again',
    group: 'Options',
  }),
  output: option(z.string().min(1).nullable().default(null), {
    description: "the recipe's folder; none: the one that the recipe names, else runs/<its name>",
    group: 'Options',
    value: 'folder',
  }),
  dryRun: option(z.boolean().default(false), {
    description:
      'show what is done, what would run and why, with rows, tokens, memory and time, and run nothing',
    group,
    flagOnly: true,
  }),
  overwrite: option(z.boolean().default(false), {
    description: 'run every stage anew and throw away what is there',
    group,
    flagOnly: true,
  }),
  json: callShape.json,
});

const defined = defineOptions('align', schema, { complete: (parsed) => parsed });

// It stands on the command line without a flag, and complaints name it so.
export const definition = {
  ...defined,
  descriptors: defined.descriptors.map((one) =>
    one.name === 'recipe' ? { ...one, flag: '<recipe>' } : one,
  ),
};

export type AlignOptions = ReturnType<typeof definition.complete>;

export const operand = 'recipe';

export const example = 'npx keel align recipes/sft-dpo.yaml --dry-run';

/** Of the recipe's file. */
export const jsonSchema = recipeJsonSchema;
