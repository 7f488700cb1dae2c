// The KL penalty of the verbs that sample from the policy.
import { z } from 'zod';
import { option } from '../../config/options.ts';
import { referenceSyncShape } from './reference-sync-options.ts';

/** The heading of these options. */
export const KL_GROUP = 'KL and reference';

export const klPlaces = ['reward', 'loss'] as const;
export type KlPlace = (typeof klPlaces)[number];

export const klShape = (usual: {
  beta: number;
  place: KlPlace;
  estimator: 'k1' | 'k2' | 'k3';
}) => ({
  beta: option(z.number().min(0).default(usual.beta), {
    description:
      'KL coefficient; the reference is the model before training; 0: no reference, no KL',
    group: KL_GROUP,
    common: true,
  }),
  klIn: option(z.enum(klPlaces).default(usual.place), {
    description: 'subtract the KL from the reward, token by token, or add it to the loss',
    group: KL_GROUP,
  }),
  klEstimator: option(z.enum(['k1', 'k2', 'k3']).default(usual.estimator), {
    description:
      'estimator of the KL per token: k1, the log-ratio; k2, half its square; k3, r - 1 - log r',
    group: KL_GROUP,
  }),
  klCorrection: option(z.boolean().default(false), {
    description:
      'multiply the KL in the loss by the importance ratio, including its gradient: unbiased off-policy too',
    group: KL_GROUP,
  }),
  klController: option(z.enum(['fixed', 'adaptive']).default('fixed'), {
    description: 'adaptive: after every batch, move --beta so that the KL approaches --kl-target',
    group: KL_GROUP,
  }),
  klTarget: option(z.number().positive().default(6), {
    description: "target KL per answer of the adaptive controller, in nats (Ziegler et al.'s)",
    group: KL_GROUP,
    value: 'nats',
  }),
  klHorizon: option(z.number().positive().default(10_000), {
    description: 'number of answers over which the adaptive controller corrects the whole error',
    group: KL_GROUP,
    value: 'answers',
  }),
  ...referenceSyncShape(KL_GROUP),
});
