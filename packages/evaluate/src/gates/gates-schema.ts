// The YAML file of gates. Keys are as in the file.
import { z } from 'zod';

export const gateSchema = z.strictObject({
  metric: z.string().min(1).describe('task/metric, such as arithmetic/acc'),
  entry: z.string().min(1).optional().describe('(default: all entries, except a baseline)'),
  at_least: z.number().optional().describe('a floor'),
  at_most: z.number().optional().describe('a ceiling'),
  no_worse_than: z
    .number()
    .min(0)
    .optional()
    .describe('the loss against the first entry that is allowed'),
  better_by: z.number().min(0).optional().describe('the gain over the first entry that is needed'),
  decided_by: z
    .enum(['value', 'interval'])
    .optional()
    .describe(
      "value: the number itself; interval: its interval's worse end (default: value for floors and ceilings, interval for differences)",
    ),
  confidence: z.number().gt(0).lt(1).default(0.95),
});

export const gatesSchema = z.strictObject({ gates: z.array(gateSchema).min(1) });

export type WrittenGate = z.output<typeof gateSchema>;
