// Optimizer steps on a batch of rollouts.
import { z } from 'zod';
import { option } from '../../config/options.ts';

const update = 'Policy update';

/** Options of several optimizer steps on one rollout batch. */
export const epochsShape = (usual: { iterations: number }) => ({
  numIterations: option(z.number().int().min(1).default(usual.iterations), {
    description: 'epochs over each rollout batch',
    group: update,
  }),
  minibatches: option(z.number().int().min(1).default(1), {
    description:
      'optimizer steps per epoch over a rollout batch; fewer if the batch has less to train on',
    group: update,
  }),
});

/** The same, with clipped importance ratios. */
export const updateShape = (usual: { iterations: number }) => ({
  ...epochsShape(usual),
  clipRange: option(z.number().min(0).max(1).default(0.2), {
    description: 'lower bound of importance ratios (new policy / old policy): 1 minus this',
    group: update,
    value: 'range',
  }),
  clipRangeHigh: option(z.number().min(0).nullable().default(null), {
    description: 'upper bound of importance ratios: 1 plus this',
    group: update,
    value: 'range',
    shownDefault: 'as --clip-range',
  }),
  dualClip: option(z.number().gt(1).nullable().default(null), {
    description: 'upper bound of the ratio for negative advantages, usually 3',
    group: update,
    value: 'ratio',
    shownDefault: 'no bound',
  }),
  targetKl: option(z.number().positive().nullable().default(null), {
    description:
      'skip the remaining steps on a batch once the KL from the sampling policy exceeds 1.5 times this',
    group: update,
    value: 'nats',
    shownDefault: 'never skip',
  }),
});

export const entropyShape = {
  entropyBonus: option(z.number().min(0).default(0), {
    description: "weight of the policy's entropy in the maximised objective",
    group: update,
    value: 'weight',
  }),
};

export const whitenAdvantages = (usual: boolean) => ({
  whitenAdvantages: option(z.boolean().default(usual), {
    description: 'normalise advantages to mean 0 and standard deviation 1 per rollout batch',
    group: update,
  }),
});
