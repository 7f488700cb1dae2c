// ratings.json of `keel rate`, and what `--json` prints.
import { z } from 'zod';
import { interval } from './parts.ts';

const pair = z.tuple([z.number(), z.number()]).readonly();
const rating = z.object({
  model: z.string(),
  rating: z.number(),
  interval,
  ranks: pair,
  win_rate: z.number(),
  battles: z.number(),
});
const style = z.record(z.string(), z.object({ value: z.number(), interval }));

/** The content of ratings.json. */
export const ratingsFile = z.object({
  version: z.literal(1),
  formats: z.record(z.string(), z.array(z.string()).readonly()),
  rows: z.number(),
  battles: z.number(),
  ties: z.number(),
  clusters: z.number().nullable(),
  unclustered: z.number().optional(),
  judges: z.record(z.string(), z.number()),
  skipped: z.record(z.string(), z.number()),
  bad_rows: z.number(),
  options: z.object({
    intervals: z.enum(['sandwich', 'bootstrap']),
    resamples: z.number().optional(),
    seed: z.number().optional(),
    skipped_samples: z.number().optional(),
    anchor: z.object({ name: z.string(), rating: z.number() }).nullable(),
    balance_pairs: z.number().nullable(),
    prior: z.number().nullable(),
  }),
  ratings: z.array(rating.extend({ elo: z.number().optional() })),
  style: style.optional(),
  pairs: z.array(
    z.object({
      a: z.string(),
      b: z.string(),
      battles: z.number(),
      wins_a: z.number(),
      wins_b: z.number(),
    }),
  ),
  next: z.array(
    z.object({
      a: z.string(),
      b: z.string(),
      suggested: z.number(),
      battles: z.number(),
      win_probability: z.number(),
      errors: pair,
      reduction: z.number(),
    }),
  ),
  categories: z
    .array(
      z.object({
        name: z.string(),
        battles: z.number(),
        ratings: z.array(rating).nullable(),
        style: style.optional(),
        why: z.string().optional(),
      }),
    )
    .optional(),
});

/** The content of ratings.json. */
export type RatingsFile = z.output<typeof ratingsFile>;
