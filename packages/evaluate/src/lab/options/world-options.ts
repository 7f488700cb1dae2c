// A closed world as a lab's file: all answers to a few prompts, with what is known of them.
// Loads no model.
import { z } from 'zod';

const numbers = z.array(z.number()).min(2);

const promptSchema = z.strictObject({
  /** Of the answers under the initial policy; their sum is 1. */
  probabilities: z.array(z.number().min(0).max(1)).min(2),
  /** Gold reward of each answer. */
  gold: numbers,
  /** Rewards of each answer by the proxies' names. */
  proxies: z.record(z.string().min(1), numbers),
});

export const worldSchema = z.strictObject({
  /** The lab's folder (default: runs/<name of the file>). */
  output: z.string().min(1).optional(),
  world: z.array(promptSchema).min(1),
  /** Values of n. */
  best_of_n: z.array(z.int().positive()).min(2).default([1, 2, 4, 8, 16, 32, 64]),
  /** KL coefficients of RL. */
  betas: z.array(z.number().positive()).min(2).default([8, 4, 2, 1, 0.5, 0.25, 0.125]),
});

export type World = z.output<typeof worldSchema>;
