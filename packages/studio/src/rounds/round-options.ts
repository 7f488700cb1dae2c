// What is chosen for a round of training.
import { z } from 'zod';

export const roundOptions = z.strictObject({
  /** What is trained besides the reward model: a policy on pairs, one on thumbs, or nothing. */
  method: z.enum(['dpo', 'kto', 'none']).default('dpo'),
  /** Model to start from: as --model takes it; null: the default model. */
  model: z.string().trim().min(1).max(500).nullable().default(null),
  epochs: z.number().positive().max(100).default(1),
  /** null: as many as the epochs have. */
  maxSteps: z.number().int().min(1).nullable().default(null),
  /** Pairs of new answers that come back as tasks; 0: none. */
  newTasks: z.number().int().min(0).max(10_000).default(20),
  /** Answers to each prompt from which the pairs are chosen. */
  samples: z.number().int().min(2).max(16).default(4),
  maxNewTokens: z.number().int().min(1).max(4096).default(128),
  /** Prompts of the project that the new model answers, drawn at random. */
  prompts: z.number().int().min(1).max(10_000).default(50),
  /** Share of the new tasks that is drawn at random. */
  randomShare: z.number().min(0).max(1).default(0.3),
});

/** @see roundOptions */
export type RoundOptions = z.infer<typeof roundOptions>;
