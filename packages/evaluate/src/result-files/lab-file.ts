// results.json of `keel overoptimise`: curves of proxy and gold against KL, and their fits.
import { z } from 'zod';
import { estimate, interval } from './parts.ts';

/** JSON has no infinities: the last point of a closed world has the beta null. */
const reached = z.number().nullable();

/** The content of a lab's results.json. */
export const labFile = z.object({
  version: z.literal(1),
  prompts: z.number(),
  exact: z.boolean(),
  gold_unit: z.number(),
  curves: z.array(
    z.object({
      name: z.string(),
      group: z.string(),
      ensemble: z.boolean(),
      method: z.enum(['best-of-n', 'rl']),
      counts: z.enum(['n', 'step', 'beta']),
      points: z.array(
        z.object({
          at: reached,
          kl: z.number(),
          d: z.number(),
          proxy: estimate,
          gold: estimate,
        }),
      ),
      fit: z
        .object({
          alpha: z.number(),
          beta: z.number(),
          residual: z.number(),
          intervals: z.object({ alpha: interval, beta: interval }).nullable(),
          peak: z.object({ d: z.number(), kl: z.number(), reward: z.number() }).nullable(),
          peaks_within: z.number().nullable(),
        })
        .nullable(),
      residuals: z.object({ other: z.number(), straight: z.number() }).nullable(),
      stopping: z.object({ at: reached, kl: z.number(), gold: estimate, gain: estimate }),
    }),
  ),
  ensembles: z.array(
    z.object({
      name: z.string(),
      against: z.string(),
      method: z.enum(['best-of-n', 'rl']),
      last: estimate,
      stopped: estimate,
    }),
  ),
  agreements: z.array(z.object({ name: z.string(), agreement: estimate })),
});

/** The content of a lab's results.json. */
export type LabFile = z.output<typeof labFile>;
