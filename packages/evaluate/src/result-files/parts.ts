// Parts that several result files have.
import { z } from 'zod';

/** A 95% interval. */
export const interval = z.tuple([z.number(), z.number()]).readonly();

/** A share with its interval and what it is of. */
export const proportion = z.object({ value: z.number(), count: z.number(), interval });

/** A number with its interval; null: it is exact, or there is too little to tell. */
export const estimate = z.object({ value: z.number(), interval: interval.nullable() });

/** A correlation with its interval; null for three points or fewer. */
export const correlation = estimate.extend({ count: z.number() });

/** What a reader should know before believing a number. */
export const finding = z.object({
  code: z.string(),
  severity: z.enum(['note', 'warning', 'serious']),
  text: z.string(),
});
