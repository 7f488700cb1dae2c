// summary.json of `keel evaluate`: every metric of every task and entry, differences and gates.
import { z } from 'zod';
import { gateSchema } from '../gates/gates-schema.ts';
import { interval } from './parts.ts';

const metrics = z.record(
  z.string(),
  z.object({
    value: z.number(),
    interval,
    standard_error: z.number().nullable(),
    count: z.number(),
    higher_is_better: z.boolean(),
  }),
);

/** The content of an evaluation's summary.json. */
export const evaluationFile = z.object({
  suites: z.array(z.string()).readonly(),
  task_files: z.array(z.string()).readonly(),
  limit: z.number().nullable(),
  seconds: z.number(),
  baseline: z.string().nullable(),
  entries: z.array(
    z.object({
      name: z.string(),
      model: z.string(),
      adapter: z.string().nullable(),
      tasks: z.record(
        z.string(),
        z.object({
          type: z.string(),
          description: z.string(),
          rows: z.number(),
          skipped: z.number(),
          truncated: z.number(),
          metrics,
          groups: z.record(z.string(), metrics).optional(),
        }),
      ),
      differences: z.array(
        z.object({
          task: z.string(),
          metric: z.string(),
          filter: z.string(),
          rows: z.number(),
          value: z.number(),
          interval,
          changes: z.object({ p: z.number(), gained: z.number(), lost: z.number() }).nullable(),
        }),
      ),
    }),
  ),
  gates: z.array(
    gateSchema.extend({
      entry: z.string(),
      passed: z.boolean(),
      measured: z.number().nullable(),
      bound: z.number().nullable(),
      short_by: z.number().nullable(),
    }),
  ),
  passed: z.boolean().nullable(),
});

/** The content of an evaluation's summary.json. */
export type EvaluationFile = z.output<typeof evaluationFile>;
