import { z } from 'zod';
import { option } from '../../config/options.ts';
import { defineTraining } from '../../config/training-options.ts';
import {
  checkOnline,
  checkRolesShareBase,
  entropyShape,
  generations,
  klShape,
  onlineShape,
  updateShape,
  whitenAdvantages,
} from '../online/online-options.ts';
import { pretrainingShape } from '../supervised/pretraining-options.ts';

const critic = 'Critic';

const ppoObject = z
  .strictObject({
    ...onlineShape,
    numGenerations: generations(1),
    ...klShape({ beta: 0.05, place: 'reward', estimator: 'k1' }),
    ...updateShape({ iterations: 4 }),
    ...whitenAdvantages(true),
    ...entropyShape,
    ...pretrainingShape,
    whitenRewards: option(z.boolean().default(false), {
      description: 'divide rewards of tokens (with KL) by their deviation over a rollout batch',
      group: 'Update',
    }),
    gamma: option(z.number().min(0).max(1).default(1), {
      description: 'discount of a token',
      group: critic,
    }),
    gaeLambda: option(z.number().min(0).max(1).default(0.95), {
      description: 'of generalised advantage estimation: 0 trusts the critic, 1 the returns',
      group: critic,
      value: 'lambda',
    }),
    critic: option(z.enum(['adapter', 'shared']).default('adapter'), {
      description:
        "the critic is an adapter and a scalar head of its own on the same base, or a head on the policy's hidden states",
      group: critic,
      value: 'what',
    }),
    criticFrom: option(z.string().min(1).nullable().default(null), {
      description:
        'start the critic from this adapter of a reward model on the same base; none: from values of 0',
      group: critic,
      value: 'folder',
    }),
    criticLearningRate: option(z.number().positive().nullable().default(null), {
      description: "highest learning rate of the critic; none: the policy's",
      group: critic,
      value: 'rate',
    }),
    criticWarmup: option(z.number().int().min(0).default(0), {
      description: 'rollout batches at first in which only the critic learns',
      group: critic,
      value: 'batches',
    }),
    valueCoefficient: option(z.number().positive().default(0.1), {
      description: "weight of the critic's loss",
      group: critic,
      value: 'weight',
    }),
    valueClip: option(z.number().positive().nullable().default(0.2), {
      description: 'how far a value may be thought to move on one rollout batch; none: any way',
      group: critic,
      value: 'range',
    }),
  })
  .check((context) => {
    checkOnline(context);
    const { value, issues } = context;
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    checkRolesShareBase(value, { verb: 'ppo', role: 'critic' }, add);
    if (value.critic === 'shared' && value.criticFrom !== null) {
      add('criticFrom', 'a shared critic has no adapter of its own: give --critic adapter');
    }
    if (value.critic === 'shared' && value.criticWarmup > 0) {
      add(
        'criticWarmup',
        'a shared critic moves the policy too: a warm-up is for --critic adapter',
      );
    }
    if (value.critic === 'shared' && value.criticLearningRate !== null) {
      add(
        'criticLearningRate',
        "a shared critic learns with the policy's adapter: weigh it by --value-coefficient",
      );
    }
  });

/** Options of `keel ppo`. */
export const ppoDefinition = defineTraining('ppo', ppoObject);

/** Options of a PPO run, every default filled in. */
export type PpoOptions = ReturnType<typeof ppoDefinition.complete>;
