import { defineOptions, option, variant } from '@keel/align/config';
import { labJsonSchema } from '@keel/evaluate/schemas';
import { z } from 'zod';
import { definition as bestOfN } from './best-of-n.ts';
import { withOperand } from './operand.ts';
import { callShape } from './shared.ts';

export const operand = 'lab';

export const definition = withOperand(
  operand,
  defineOptions(
    'overoptimise',
    z.strictObject({
      lab: option(z.string().min(1), {
        description:
          'YAML file: the gold reward, the proxies that are trained on its labels, and how they are optimised',
        group: 'Model and data',
      }),
      output: option(z.string().min(1).nullable().default(null), {
        description: "the lab's folder",
        group: 'Output',
        value: 'folder',
        common: true,
        shownDefault: 'set by the lab, otherwise runs/<its name>',
      }),
      dryRun: option(z.boolean().default(false), {
        description: 'show what is finished, what would run and why, without running it',
        group: 'Command line only',
        flagOnly: true,
        common: true,
      }),
      overwrite: option(z.boolean().default(false), {
        description: 'delete the results in the folder and run every part again',
        group: 'Command line only',
        flagOnly: true,
        common: true,
      }),
      json: variant(callShape.json, { common: true }),
    }),
    { complete: (parsed) => parsed },
  ),
);

export type OveroptimiseOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel overoptimise recipes/labs/overoptimise.yaml --dry-run';

/** The JSON Schema of labs. */
export const jsonSchema = (): Record<string, unknown> => labJsonSchema(bestOfN);
