// summary.json and judging.json of `keel judge`: a comparison, a check of the judge, or ratings.
import { z } from 'zod';
import { estimate, finding, interval, proportion } from './parts.ts';

const usage = z.object({ prompt_tokens: z.number(), answer_tokens: z.number(), cost: z.number() });
const failures = z.array(
  z.object({ reason: z.string(), count: z.number(), first_row: z.number() }),
);
const orders = z.object({
  pairs: z.number(),
  once: z.number(),
  agree: proportion.nullable(),
  first_wins: proportion.nullable(),
});
const length = z.object({ characters: z.number(), words: z.number() });
const agreement = z.object({
  value: z.number().nullable(),
  interval: interval.nullable(),
  units: z.number(),
});
const score = estimate.extend({ count: z.number() });

/** What the folder's verdicts are. */
export const judgingModes = ['comparison', 'rating', 'check'] as const;

/** judging.json: the judge of a folder. `rows`: what it is asked about, missing in older files. */
export const judgingSettingsFile = z.object({
  mode: z.enum(judgingModes),
  judge: z.string(),
  identity: z.string(),
  rows: z.number().optional(),
});

/** Two models compared. */
export const comparisonFile = z.object({
  judge: z.string(),
  model_a: z.string(),
  model_b: z.string(),
  pairs: z.number(),
  judged: z.number(),
  prompts: z.number(),
  win_rate: proportion.nullable(),
  wins: z.number(),
  losses: z.number(),
  ties: z.number(),
  length_controlled: z.object({
    value: z.number().nullable(),
    interval: interval.nullable(),
    why: z.string().nullable(),
  }),
  orders,
  longer_wins: proportion.nullable(),
  lengths: z.object({ a: length, b: length }),
  failures,
  incomplete: z.number(),
  rules: z.array(z.object({ rule: z.string(), count: z.number() })),
  flagged: z.object({
    flags: z.array(z.object({ flag: z.string(), a: z.number(), b: z.number() })),
    rows: z.number(),
    win_rate_without: proportion.nullable(),
  }),
  usage,
  categories: z.array(
    z.object({
      category: z.string(),
      pairs: z.number(),
      win_rate: proportion,
      wins: z.number(),
      losses: z.number(),
      ties: z.number(),
    }),
  ),
  check: z
    .object({
      pairs: z.number(),
      decided: z.number(),
      accuracy: proportion.nullable(),
      orders,
    })
    .nullable(),
  findings: z.array(finding),
});

/** A judge against people's labels. */
export const checkFile = z.object({
  judge: z.string(),
  pairs: z.number(),
  judged: z.number(),
  decided: z.number(),
  accuracy: proportion.nullable(),
  by_order: z
    .object({
      first_order: proportion,
      swapped: proportion,
      average: z.number(),
      both: proportion,
    })
    .nullable(),
  kappa: agreement,
  calibration: z
    .object({
      pairs: z.number(),
      error: z.object({ value: z.number(), interval }),
      error_by_chance: z.object({ value: z.number(), high: z.number() }),
      brier: z.number(),
      bins: z.array(
        z.object({
          from: z.number(),
          to: z.number(),
          confidence: z.number(),
          accuracy: proportion,
        }),
      ),
    })
    .nullable(),
  people: z.object({
    votes: z.number(),
    accuracy: proportion.nullable(),
    kappa: agreement.nullable(),
  }),
  orders,
  orders_kappa: agreement.nullable(),
  longer_wins: z.object({ judge: proportion.nullable(), people: proportion.nullable() }),
  ties: z.object({ judge: z.number(), people: z.number() }),
  failures,
  categories: z.array(z.object({ category: z.string(), pairs: z.number(), accuracy: proportion })),
  usage,
  findings: z.array(finding),
});

/** A judge's ratings of one model's answers. */
export const scoresFile = z.object({
  judge: z.string(),
  model: z.string(),
  answers: z.number(),
  rated: z.number(),
  score: score.nullable(),
  criteria: z.array(z.object({ name: z.string(), score })),
  categories: z.array(z.object({ category: z.string(), score })),
  failures,
  flags: z.array(z.object({ flag: z.string(), count: z.number() })),
  usage,
  findings: z.array(finding),
});

/** summary.json of a comparison. */
export type ComparisonFile = z.output<typeof comparisonFile>;
/** summary.json of a check. */
export type CheckFile = z.output<typeof checkFile>;
/** summary.json of ratings. */
export type ScoresFile = z.output<typeof scoresFile>;
