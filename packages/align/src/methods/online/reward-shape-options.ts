// Options of the methods that train on the reward as a number: those that only order answers would
// give the same result with any shape.
import { z } from 'zod';
import { option } from '../../config/options.ts';
import { type RewardShape, rewardShapes } from '../../objectives/online/reward-shapes.ts';

const group = 'Reward';

export const rewardShape = {
  rewardShape: option(z.enum(rewardShapes).default('none'), {
    description:
      "sigmoid: train on the chance of beating a reference answer, sigmoid(r - reference's r), which is bounded (PAR); log_sigmoid: on its logarithm",
    group,
  }),
  referenceAnswers: option(z.number().int().min(1).default(1), {
    description:
      'with --reward-shape: answers of the policy before training to compare each answer with, sampled with every rollout batch',
    group,
    value: 'answers',
  }),
  rewardCentre: option(z.number().nullable().default(null), {
    description:
      'with --reward-shape: compare with this reward instead; no reference answers are sampled',
    group,
    value: 'reward',
    shownDefault: 'the rewards of reference answers',
  }),
};

export interface RewardShapeOptions {
  rewardShape: RewardShape;
  referenceAnswers: number;
  rewardCentre: number | null;
}

/** Calls `add` for each of these options that contradicts another. */
export function checkRewardShape(
  value: Partial<RewardShapeOptions> & {
    lora: boolean;
    adapter: string | null;
    rewardScale?: string;
  },
  add: (name: string, message: string) => void,
): void {
  const { rewardShape: shape = 'none', referenceAnswers = 1, rewardCentre = null } = value;
  if (shape === 'none') {
    const without = `has no effect without --reward-shape. Pass sigmoid or log_sigmoid`;
    if (referenceAnswers !== 1) add('referenceAnswers', without);
    if (rewardCentre !== null) add('rewardCentre', without);
    return;
  }
  if (value.rewardScale === 'running') {
    add(
      'rewardScale',
      `running changes the unit in which --reward-shape ${shape} compares rewards. Remove one of them`,
    );
  }
  if (rewardCentre !== null && referenceAnswers !== 1) {
    add('referenceAnswers', 'with --reward-centre, no reference answers are sampled. Remove one');
  }
  if (rewardCentre === null && !value.lora && value.adapter === null) {
    add(
      'rewardShape',
      'without LoRA, the model before training cannot give reference answers. Remove --no-lora, or pass --reward-centre',
    );
  }
}
