import { z } from 'zod';
import { option } from '../../config/options.ts';
import { defineTraining } from '../../config/training-options.ts';
import { checkOnline, checkRolesShareBase } from '../online/check-online.ts';
import { klShape } from '../online/kl-options.ts';
import { generations, onlineShape } from '../online/online-options.ts';
import { rewardShape } from '../online/reward-shape-options.ts';
import { correctionShape } from '../online/rollout-server-options.ts';
import { entropyShape, updateShape, whitenAdvantages } from '../online/update-options.ts';
import { refreshShape } from '../refresh/refresh-options.ts';
import { pretrainingShape } from '../supervised/pretraining-options.ts';

const critic = 'Critic';

const ppoObject = z
  .strictObject({
    ...onlineShape,
    ...refreshShape,
    ...rewardShape,
    numGenerations: generations(1),
    ...klShape({ beta: 0.05, place: 'reward', estimator: 'k1' }),
    ...updateShape({ iterations: 4 }),
    ...whitenAdvantages(true),
    ...entropyShape,
    ...correctionShape,
    ...pretrainingShape,
    whitenRewards: option(z.boolean().default(false), {
      description:
        'divide token rewards (including KL) by their standard deviation over a rollout batch',
      group: 'Policy update',
    }),
    gamma: option(z.number().min(0).max(1).default(1), {
      description: 'discount factor per token',
      group: critic,
    }),
    gaeLambda: option(z.number().min(0).max(1).default(0.95), {
      description:
        'lambda of generalised advantage estimation: 0 uses only the critic, 1 only the returns',
      group: critic,
      value: 'lambda',
    }),
    critic: option(z.enum(['adapter', 'shared']).default('adapter'), {
      description:
        "adapter: the critic is a second adapter of the base model with a scalar head; shared: only a scalar head on the policy's hidden states",
      group: critic,
    }),
    criticFrom: option(z.string().min(1).nullable().default(null), {
      description:
        "start the critic from this reward model's adapter, trained on the same base model",
      group: critic,
      reads: 'folder',
      common: true,
      shownDefault: 'all values 0',
    }),
    criticLearningRate: option(z.number().positive().nullable().default(null), {
      description: 'peak learning rate of the critic',
      group: critic,
      value: 'rate',
      shownDefault: "the policy's",
    }),
    criticWarmup: option(z.number().int().min(0).default(0), {
      description: 'train only the critic for this many rollout batches',
      group: critic,
      value: 'batches',
    }),
    valueCoefficient: option(z.number().positive().default(0.1), {
      description: "weight of the critic's loss",
      group: critic,
      value: 'weight',
    }),
    valueClip: option(z.number().positive().nullable().default(0.2), {
      description: 'clip value updates to this range per rollout batch; none: no clipping',
      group: critic,
      value: 'range',
    }),
  })
  .check((context) => {
    checkOnline(context, undefined, { needsLora: true });
    const { value, issues } = context;
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    checkRolesShareBase(value, { verb: 'ppo', role: 'critic' }, add);
    if (value.critic === 'shared' && value.criticFrom !== null) {
      add('criticFrom', 'a shared critic has no adapter. Pass --critic adapter too');
    }
    if (value.critic === 'shared' && value.criticWarmup > 0) {
      add(
        'criticWarmup',
        'training a shared critic changes the policy too. Pass --critic adapter, or remove the warm-up',
      );
    }
    if (value.critic === 'shared' && value.criticLearningRate !== null) {
      add(
        'criticLearningRate',
        "a shared critic is trained with the policy's learning rate. Set its weight with --value-coefficient instead",
      );
    }
  });

/** Options of `keel ppo`. */
export const ppoDefinition = defineTraining('ppo', ppoObject);

/** Options of a PPO run, with every default filled in. */
export type PpoOptions = ReturnType<typeof ppoDefinition.complete>;
