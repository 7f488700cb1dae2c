// results.json of `keel compare`.
import { z } from 'zod';
import { metrics } from './summarise.ts';

const interval = z.tuple([z.number(), z.number()]).readonly();

/** A mean, its standard deviation over seeds, and its 95% interval. */
const summary = z.object({ value: z.number(), spread: z.number().nullable(), interval });
const suites = z.record(
  z.string(),
  z.object({
    value: z.number(),
    unit: z.string(),
    better: z.string().nullable(),
    spread: z.number().nullable(),
    interval: interval.nullable(),
  }),
);
const measured = {
  ...(Object.fromEntries(metrics.map((name) => [name, summary.nullable()])) as Record<
    (typeof metrics)[number],
    z.ZodNullable<typeof summary>
  >),
  suites: suites.optional(),
};

/** The content of a comparison's results.json. */
export const comparisonResultsFile = z.object({
  version: z.literal(1),
  model: z.string(),
  data: z.array(z.string()).readonly(),
  eval_data: z.array(z.string()).readonly(),
  reward: z.string().nullable(),
  steps: z.number(),
  batch_size: z.number(),
  same_budget: z.boolean(),
  eval: z.object({
    pairs: z.number(),
    prompts: z.number(),
    asked_prompts: z.number(),
    max_new_tokens: z.number(),
    seed: z.number(),
  }),
  ordered_by: z.enum(metrics),
  reference: z.object(measured),
  /** The best first. */
  groups: z.array(z.object({ name: z.string(), seeds: z.array(z.number()), ...measured })),
  leads: z
    .array(
      z.object({
        over: z.string(),
        value: z.number(),
        interval,
        p: z.number(),
        clear: z.boolean(),
      }),
    )
    .readonly(),
  entries: z.array(
    z.object({
      name: z.string(),
      group: z.string(),
      verb: z.string(),
      loss: z.array(z.string()),
      beta: z.number().nullable(),
      seed: z.number(),
      learning_rate: z.number(),
      steps: z.number(),
      num_tokens: z.number(),
      seconds: z.number(),
      run: z.string(),
      ...measured,
    }),
  ),
  missing: z.array(z.string()),
});

/** The content of a comparison's results.json. */
export type ComparisonResultsFile = z.output<typeof comparisonResultsFile>;
