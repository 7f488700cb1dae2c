// @keel/evaluate/schemas: JSON Schemas of suites, gates and labs, for editors. Loads no model.
import { z } from 'zod';
import { gatesSchema } from '../gates/gates-schema.ts';
import { suiteSchema } from '../suites/suite-schema.ts';

export { labJsonSchema } from '../lab/options/lab-schema.ts';

const schemas = { suite: suiteSchema, gates: gatesSchema } as const;

/** Files that are not a verb's options. */
export const fileNames = Object.keys(schemas) as (keyof typeof schemas)[];

/** Draft 2020-12, of what a user writes: defaults may be missing. */
export const fileJsonSchema = (name: keyof typeof schemas): Record<string, unknown> => ({
  title: `keel evaluate: ${name}`,
  ...z.toJSONSchema(schemas[name], { io: 'input' }),
});
