// The JSON Schema of a lab's file, for editors.
import {
  methodVerbs,
  type OptionsDefinition,
  optionsJsonSchema,
  rewardDefinition,
} from '@keel/align/config';
import { z } from 'zod';
import {
  bestOfNDefinition,
  ensemblesDefinition,
  goldDefinition,
  labDefinition,
  labelsDefinition,
  labMethods,
  proxiesDefinition,
  rlDefinition,
  setByLab,
} from './lab-options.ts';
import { worldSchema } from './world-options.ts';

type JsonSchema = Record<string, unknown>;

const methods = methodVerbs
  .filter(({ name }) => (labMethods as readonly string[]).includes(name))
  .map(({ definition }) => definition) as unknown as readonly OptionsDefinition[];

/**
 * Draft 2020-12: a lab, or a closed world.
 * @param bestOfN the options of `keel best-of-n`
 */
export function labJsonSchema(bestOfN: Answering): JsonSchema {
  const { $schema, title, ...lab } = trainedJsonSchema(bestOfN);
  const { $schema: _, ...world } = z.toJSONSchema(worldSchema, { io: 'input' });
  return { $schema, title, anyOf: [lab, world] };
}

type Answering = Pick<OptionsDefinition, 'schema' | 'verb' | 'descriptors'>;

function trainedJsonSchema(bestOfN: Answering): JsonSchema {
  const answers = bestOfN as OptionsDefinition;
  const reward = rewardDefinition as unknown as OptionsDefinition;
  const { properties, ...rest } = optionsJsonSchema(labDefinition as unknown as OptionsDefinition);
  return {
    ...rest,
    properties: {
      ...(properties as JsonSchema),
      defaults: {
        description: 'options of every part that trains, unless its section sets them',
        type: 'object',
      },
      gold: section('the gold reward', goldDefinition, [reward], setByLab.gold),
      labels: section('answers that gold scores', labelsDefinition, [answers], setByLab.labels),
      proxies: section('the reward models', proxiesDefinition, [reward], setByLab.proxies),
      ensembles: section('combinations of the seeds of proxies', ensemblesDefinition, [], []),
      best_of_n: section('best-of-n sampling', bestOfNDefinition, [answers], setByLab.bestOfN),
      rl: section('reinforcement learning', rlDefinition, methods, setByLab.rl),
    },
    required: ['prompts', 'eval_prompts', 'gold', 'proxies'],
  };
}

function section(
  description: string,
  own: unknown,
  verbs: readonly OptionsDefinition[],
  without: readonly string[],
): JsonSchema {
  const properties: JsonSchema = {};
  for (const verb of verbs) {
    const known = optionsJsonSchema(verb).properties as JsonSchema;
    for (const { name, yamlKey, flagOnly } of verb.descriptors) {
      if (!flagOnly && !without.includes(name)) properties[yamlKey] ??= known[yamlKey];
    }
  }
  Object.assign(properties, optionsJsonSchema(own as OptionsDefinition).properties);
  return { description, type: 'object', properties, additionalProperties: false };
}
