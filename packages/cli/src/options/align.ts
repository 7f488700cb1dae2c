import {
  defineOptions,
  option,
  recipeJsonSchema,
  trainingShape,
  variant,
} from '@keel/align/config';
import { z } from 'zod';
import { jobStages } from './job-stages.ts';
import { callShape } from './shared.ts';

const schema = z.strictObject({
  recipe: option(z.string().min(1), {
    description: 'YAML file of stages; finished stages are not repeated unless they changed',
    group: 'Model and data',
  }),
  output: option(z.string().min(1).nullable().default(null), {
    description: "the recipe's folder",
    group: 'Output',
    value: 'folder',
    common: true,
    shownDefault: 'set by the recipe, otherwise runs/<its name>',
  }),
  processTimeout: variant(trainingShape.processTimeout, {
    description:
      'seconds that a process waits for a sign of life of the others, where several run the recipe; those of its stages do not count then',
    group: 'Machine',
  }),
  dryRun: option(z.boolean().default(false), {
    description:
      'show what is finished, what would run and why, with rows, tokens, memory and time, without running it',
    group: 'Command line only',
    flagOnly: true,
    common: true,
  }),
  overwrite: option(z.boolean().default(false), {
    description: 'delete the results in the folder and run every stage again',
    group: 'Command line only',
    flagOnly: true,
    common: true,
  }),
  json: variant(callShape.json, { common: true }),
});

const defined = defineOptions('align', schema, { complete: (parsed) => parsed });

// An operand has no flag: messages call it <recipe>.
export const definition = {
  ...defined,
  descriptors: defined.descriptors.map((one) =>
    one.name === 'recipe' ? { ...one, flag: '<recipe>' } : one,
  ),
};

export type AlignOptions = ReturnType<typeof definition.complete>;

export const operand = 'recipe';

export const example = 'npx keel align recipes/sft-dpo.yaml --dry-run';

/** The JSON Schema of recipes. */
export const jsonSchema = (): Record<string, unknown> => recipeJsonSchema(jobStages);
