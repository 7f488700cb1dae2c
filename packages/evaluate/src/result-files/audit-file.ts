// audit.json of `keel audit`: what changed between two sets of answers, and what the reward paid.
import { z } from 'zod';
import { correlation, interval } from './parts.ts';

/** A change, prompt by prompt. */
const change = z.object({
  count: z.number(),
  before: z.number(),
  after: z.number(),
  difference: z.number(),
  interval: interval.nullable(),
  size: z.number().nullable(),
  size_interval: interval.nullable(),
});
const score = change.extend({ name: z.string().nullable(), unscored: z.number() });
const content = z.union([z.string(), z.array(z.looseObject({ role: z.string() }))]);

/** The content of audit.json. */
export const auditFile = z.object({
  verdict: z.object({
    code: z.string(),
    alarm: z.boolean(),
    title: z.string(),
    sentences: z.array(z.string()),
    reward: z.string(),
    gold: z.string(),
    mechanisms: z.array(
      z.object({
        feature: z.string(),
        kind: z.enum(['graded', 'possible']),
        share: z.number(),
        interval,
        size: z.number().nullable(),
        with: z.array(z.string()),
      }),
    ),
  }),
  about: z.string(),
  prompts: z.number(),
  answers: z.object({ before: z.number(), after: z.number() }),
  unpaired: z.object({ before: z.number(), after: z.number() }),
  reward: score.nullable(),
  gold: score.nullable(),
  agreement: correlation.nullable(),
  deviation: change.extend({ unscored: z.number() }).nullable(),
  course: z.array(
    z.object({
      step: z.number(),
      reward: z.number().nullable(),
      gold: z.number().nullable(),
      kl: z.number().nullable(),
      length: z.number(),
    }),
  ),
  features: z.array(
    change.extend({
      name: z.string(),
      label: z.string(),
      unit: z.string(),
      changed: z.boolean(),
      correlation: z
        .object({ before: correlation.nullable(), after: correlation.nullable() })
        .nullable(),
    }),
  ),
  explained: z
    .object({
      items: z.number(),
      change: z.number(),
      parts: z.array(
        z.object({
          feature: z.string(),
          part: z.number(),
          interval,
          coefficient: z.object({ standardised: z.number(), standardised_interval: interval }),
        }),
      ),
      alike: z.number(),
      alike_interval: interval,
      r2: z.number(),
    })
    .nullable(),
  gainers: z
    .object({
      answers: z.array(
        z.object({
          reward: z.number(),
          gold: z.number().nullable(),
          prompt: content,
          before: z.array(content),
          after: z.array(content),
        }),
      ),
      features: z.array(
        z.object({ feature: z.string(), size: z.number(), own: z.number(), others: z.number() }),
      ),
      phrases: z.array(z.object({ text: z.string(), answers: z.number() })),
    })
    .nullable(),
});

/** The content of audit.json. */
export type AuditFile = z.output<typeof auditFile>;
