// The JSON Schema of `keel compare --config`, for editors.

import { optionsJsonSchema } from '../config/json-schema.ts';
import type { OptionsDefinition } from '../config/options.ts';
import { stageVerbs } from '../recipes/stage-verbs.ts';
import { compareDefinition } from './compare-options.ts';
import { ownOptions } from './read-plans.ts';

type JsonSchema = Record<string, unknown>;

/** Draft 2020-12: the verb's options, and entries with their own options. */
export function compareJsonSchema(): JsonSchema {
  const schema = optionsJsonSchema(compareDefinition as unknown as OptionsDefinition);
  const own: JsonSchema = {};
  for (const verb of ['kto', 'dpo'] as const) {
    const { definition } = stageVerbs[verb]!;
    const all = optionsJsonSchema(definition).properties as JsonSchema;
    for (const { yamlKey } of ownOptions(verb)) own[yamlKey] = all[yamlKey];
  }
  const entries = {
    description: 'the runs to compare; their own options override those of the comparison',
    type: 'array',
    items: {
      type: 'object',
      properties: {
        objective: {
          description:
            'an objective of keel dpo or keel kto, or a weighted sum such as sigmoid+0.2*chosen_nll',
          type: 'string',
        },
        name: {
          description:
            'name of the entry in the report and of its folders (default: its objective)',
          type: 'string',
        },
        ...own,
      },
      required: ['objective'],
      additionalProperties: false,
    },
  };
  return { ...schema, properties: { ...(schema.properties as JsonSchema), entries } };
}
