// The options of a lab: those of the whole lab, and those of its sections beyond the options of the
// verbs that a section runs. Loads no model.
import { defineOptions, onlineShape, option, trainingShape, variant } from '@keel/align/config';
import { z } from 'zod';

const { model, seed, precision, device, threads } = trainingShape;
const { output, data } = trainingShape;

/** Methods whose runs a lab follows: they sample, and have a KL to the initial policy. */
export const labMethods = ['ppo', 'grpo', 'rloo', 'reinforce', 'remax', 'online-dpo'] as const;

/** Rules of ensembles, as in Coste et al. 2024 (arXiv:2310.02743). */
const ensembleRules = ['mean', 'minimum', 'lower_bound', 'uncertainty_weighted'] as const;

const distinct = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .min(1)
    .refine((list) => new Set(list).size === list.length, 'values that are listed once');

/** Keys of the lab's file next to its sections. */
export const labDefinition = defineOptions(
  'overoptimise',
  z.strictObject({
    output: variant(output, {
      description: "the lab's folder, for example runs/lab, with a folder for each of its parts",
    }),
    model: variant(model, {
      description:
        'initial policy, which all KL is to: a folder, a GGUF file or hub:owner/name[@revision]',
    }),
    prompts: variant(data, {
      description:
        'rows with prompts: their answers are labelled by gold, and policies are trained on them',
    }),
    evalPrompts: variant(data, {
      description: 'rows with other prompts, on which the curves are measured',
    }),
    maxNewTokens: variant(onlineShape.maxNewTokens, {
      description: 'maximum answer length in tokens, of all parts of the lab',
    }),
    temperature: variant(onlineShape.temperature, {
      description: 'sampling temperature of all parts of the lab',
    }),
    seed: variant(seed, { description: 'seed of all sampling, and of the order of the pairs' }),
    ...{ precision, device, threads },
  }),
  { complete: (options) => options },
);

export type LabOptions = ReturnType<typeof labDefinition.complete>;

/** What stands for the truth: a reward, or a reward model that is trained first. */
export const goldDefinition = defineOptions(
  'overoptimise: gold',
  z.strictObject({
    reward: option(z.string().min(1).nullable().default(null), {
      description:
        'the gold reward: a spec (YAML, JSON), a reward model, module.ts, regex:/…/ and others (instead of data to train one on)',
      group: 'Reward',
      reads: 'reward',
      common: true,
    }),
  }),
  { complete: (options) => options },
);

export const labelsDefinition = defineOptions(
  'overoptimise: labels',
  z.strictObject({
    answers: option(z.number().int().min(2).default(4), {
      description: 'answers to each prompt that gold scores; proxies are trained on pairs of them',
      group: 'Sampling',
      common: true,
    }),
  }),
  { complete: (options) => options },
);

export const proxiesDefinition = defineOptions(
  'overoptimise: proxies',
  z.strictObject({
    pairs: option(distinct(z.number().int().min(1)), {
      description: 'numbers of pairs to train on; smaller sets are part of larger ones',
      group: 'Entries',
      common: true,
    }),
    noise: option(distinct(z.number().min(0).max(0.5)).default([0]), {
      description: 'shares of the labels that are flipped at random, from 0 to 0.5',
      group: 'Entries',
      value: 'share',
      common: true,
    }),
    seeds: option(distinct(z.number().int().min(0)).default([1]), {
      description: 'seeds of training; every number of pairs and noise is trained with each',
      group: 'Entries',
      value: 'seed',
      common: true,
    }),
  }),
  { complete: (options) => options },
);

export const ensemblesDefinition = defineOptions(
  'overoptimise: ensembles',
  z.strictObject({
    rules: option(distinct(z.enum(ensembleRules)), {
      description:
        'how the proxies of all seeds are combined: mean, minimum, lower_bound (mean - weight standard deviations) or uncertainty_weighted (mean - weight variances)',
      group: 'Ensemble and normalisation',
      common: true,
    }),
    weight: option(z.number().min(0).default(1), {
      description: 'weight of the disagreement in lower_bound and uncertainty_weighted',
      group: 'Ensemble and normalisation',
    }),
  }),
  { complete: (options) => options },
);

export const bestOfNDefinition = defineOptions(
  'overoptimise: best_of_n',
  z.strictObject({
    answers: option(z.number().int().min(2).default(16), {
      description: 'answers sampled to each held-out prompt: the largest n',
      group: 'Sampling',
      common: true,
    }),
  }),
  { complete: (options) => options },
);

export const rlDefinition = defineOptions(
  'overoptimise: rl',
  z.strictObject({
    verb: option(z.enum(labMethods).default('ppo'), {
      description: 'the method',
      group: 'Model and data',
      common: true,
    }),
    proxies: option(distinct(z.string().min(1)).nullable().default(null), {
      description: 'proxies and ensembles to optimise, by their names',
      group: 'Entries',
      value: 'name',
      common: true,
      shownDefault: 'the first seed of each number of pairs and noise, and every ensemble',
    }),
  }),
  { complete: (options) => options },
);

/** What the lab sets in a section's verb, so that the parts fit together. */
const sampled = ['temperature', 'maxNewTokens', 'topK', 'topP', 'minP', 'minNewTokens'];
const everywhere = ['model', 'output', 'precision', 'device', 'threads'];
const answering = [
  ...everywhere,
  ...sampled,
  ...['data', 'reward', 'write', 'numGenerations', 'seed', 'adapter', 'missingEosPenalty'],
  ...['repetitionPenalty', 'stop'],
];

/** Options of a section's verb that cannot be set there, by camelCase name. */
export const setByLab = {
  gold: everywhere,
  labels: answering,
  proxies: [...everywhere, 'data', 'seed', 'lora', 'adapter'],
  bestOfN: answering,
  rl: [
    ...everywhere,
    ...sampled,
    ...['data', 'evalData', 'reward', 'gold', 'seed', 'adapter', 'bestMetric', 'bestMetricGoal'],
    ...['referenceSyncSteps'],
  ],
} as const;
