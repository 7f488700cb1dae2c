// The JSON Schema of recipes, for editors.
import { snakeCase } from '../config/case.ts';
import { optionsJsonSchema } from '../config/json-schema.ts';
import type { JobVerb } from './job-verb.ts';
import { stageVerbs } from './stage-verbs.ts';

type JsonSchema = Record<string, unknown>;

const text = (description: string): JsonSchema => ({ type: 'string', description });

/**
 * Draft 2020-12. A stage may have the options of its verb: the one in `verb`, otherwise its name.
 */
export function recipeJsonSchema(
  jobs: readonly Pick<JobVerb, 'name' | 'definition' | 'defaults'>[] = [],
): JsonSchema {
  const definitions: Record<string, JsonSchema> = {};
  const defaults: JsonSchema = {};
  const kinds = [
    ...Object.entries(stageVerbs).map(([name, { definition }]) => ({
      ...{ name, definition, shared: null },
    })),
    ...jobs.map(({ name, definition, defaults: shared }) => ({ name, definition, shared })),
  ];
  const names = kinds.map(({ name }) => name);
  for (const { name, definition, shared } of kinds) {
    const { $schema: _, properties, ...rest } = optionsJsonSchema(definition);
    const { output: __, ...options } = properties as Record<string, JsonSchema>;
    if (shared === null) Object.assign(defaults, options);
    for (const key of (shared ?? []).map(snakeCase)) defaults[key] ??= options[key];
    const verb = { const: name, description: "the stage's verb (default: the stage's name)" };
    definitions[name] = { ...rest, properties: { verb, ...options } };
  }
  const references = names.map((name) => ({ $ref: `#/$defs/${name}` }));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'keel align',
    type: 'object',
    properties: {
      output: text("the recipe's folder; each stage writes into its own subfolder"),
      defaults: {
        description: 'options of every stage whose verb has them',
        type: 'object',
        properties: defaults,
        additionalProperties: false,
      },
      stages: {
        description: 'verbs with their options, in the order of execution',
        type: 'object',
        minProperties: 1,
        properties: Object.fromEntries(
          names.map((name, at) => [
            name,
            {
              if: { required: ['verb'] },
              // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
              then: { anyOf: references },
              else: references[at],
            },
          ]),
        ),
        additionalProperties: { anyOf: references, required: ['verb'] },
      },
    },
    required: ['stages'],
    additionalProperties: false,
    $defs: definitions,
  };
}
