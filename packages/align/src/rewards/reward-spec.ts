import { z } from 'zod';
import { rewardShapes } from '../objectives/online/reward-shapes.ts';
import { codeSchema } from './code-reward.ts';
import { judgeSchema } from './judging-reward.ts';
import { lengthSchema } from './length-reward.ts';
import { modelSchema } from './model-reward.ts';
import { penaltySchema } from './penalty-reward.ts';
import { regexSchema } from './regex-reward.ts';
import { constraintSchema } from './reward-constraint.ts';
import { scaleSchema } from './reward-scale.ts';

/** What every reward of a composition may have in addition to the keys of its type. */
const inComposition = {
  /** Its name in aspects and constraints (default: its type). */
  name: z
    .string()
    .regex(/^[^\s:.]+$/, 'a name without spaces, colons or full stops')
    .optional(),
  weight: z.number().default(1),
  /** Bounds of the normalised score. */
  clip: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low < high, 'the lower bound first')
    .nullable()
    .default(null),
  normalise: scaleSchema.default('none'),
  /** Of the normalised score, before its bounds. */
  shape: z.enum(rewardShapes).default('none'),
};

export const functionSchema = z.strictObject({
  type: z.literal('function'),
  /** `module.ts` or `module.ts#name`, relative to the spec. */
  module: z.string().min(1),
  /** Concurrent calls (default: --reward-concurrency). */
  concurrency: z.int().positive().max(1024).optional(),
  /** Maximum seconds per call (default: --reward-timeout). */
  timeout: z.number().positive().nullable().optional(),
});

export const rewardTypes = {
  model: modelSchema.safeExtend(inComposition),
  function: functionSchema.safeExtend(inComposition),
  regex: regexSchema.safeExtend(inComposition),
  length: lengthSchema.safeExtend({
    ...inComposition,
    /** The model whose tokens are counted (default: the default model). */
    tokenizer: z.string().min(1).optional(),
  }),
  penalty: penaltySchema.safeExtend(inComposition),
  code: codeSchema.safeExtend(inComposition),
  judge: judgeSchema.safeExtend(inComposition),
};

export const componentSchema = z.discriminatedUnion('type', [
  rewardTypes.model,
  rewardTypes.function,
  rewardTypes.regex,
  rewardTypes.length,
  rewardTypes.penalty,
  rewardTypes.code,
  rewardTypes.judge,
]);

/** The content of a spec file, unless it is a single reward. */
export const compositionSchema = z.strictObject({
  rewards: z.array(componentSchema).min(1),
  constraints: z.array(constraintSchema).default([]),
});

/** The content of a spec as a program writes it: one reward, or several. */
export type RewardSpec = z.input<typeof componentSchema> | z.input<typeof compositionSchema>;

export type ComponentSpec = z.output<typeof componentSchema>;
export type CompositionSpec = z.output<typeof compositionSchema>;
