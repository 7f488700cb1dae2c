// Proximal policy optimization with a critic, as in RLHF: Schulman et al. 2017, arXiv:1707.06347,
// eq. 7; Ziegler et al. 2019, arXiv:1909.08593, eq. 2; Ouyang et al. 2022, arXiv:2203.02155, eq. 2.
//   r_t = -b KL_t, and the score at the last token;   delta_t = r_t + gamma V_{t+1} - V_t
//   A_t = delta_t + gamma lambda A_{t+1} (GAE, arXiv:1506.02438, eq. 16),   R_t = A_t + V_t
//   policy: -mean_t min(rho A, clip(rho, 1 - e, 1 + e) A);   critic: c mean_t (V - R)^2, clipped
// Deviations: policy and critic are separate adapters on one frozen base by default, and each has
// its own backward pass.
import { generalisedAdvantages } from '../../objectives/online/gae.ts';
import { reduceLoss, reductionWeights } from '../../objectives/online/loss-reductions.ts';
import { tokenRewards } from '../../objectives/online/token-rewards.ts';
import { explainedVariance, valueLoss } from '../../objectives/online/value-loss.ts';
import { moments, whiten } from '../../objectives/online/whitening.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import type { AdvantageTraining } from '../../rollouts/training.ts';
import { type OnlineAlgorithm, scheduleOf } from '../online/online-algorithm.ts';
import { onlineMethod, type SomeOptions } from '../online/online-method.ts';
import { surrogateTerm } from '../online/policy-loss.ts';
import { type CriticTerm, updatePolicy } from '../online/policy-update.ts';
import { klWorker } from '../online/worker-options.ts';
import { addCritic, type Critic } from './critic.ts';
import { type PpoOptions, ppoDefinition } from './ppo-options.ts';

/** What PPO trains on: advantages for the policy, returns for the critic. */
export type PpoTraining = AdvantageTraining & Required<Pick<AdvantageTraining, 'critic'>>;

export function ppo(
  options: PpoOptions,
  parts: OnlineParts,
  critic: Critic,
): OnlineAlgorithm<PpoTraining> {
  const worker = klWorker(options, parts, { comparesWithinPrompts: false });
  const { kl } = worker;
  const { gamma, gaeLambda: lambda, whitenRewards, whitenAdvantages, criticWarmup } = options;

  return {
    worker,
    schedule: scheduleOf(options),

    async rollOut(prompts, number) {
      const sampled = await worker.sample(prompts, number);
      const judged = await worker.judge(sampled);
      const rollouts = await worker.score(sampled);
      const values = await worker.values(critic, rollouts); // [N]
      const { layout } = rollouts;
      const cost = kl?.inReward(rollouts) ?? null; // [N]
      const raw = tokenRewards(layout, judged.shaped, cost, kl?.coefficient ?? 0); // [N]
      const rewards = whitenRewards ? whiten(raw, { keepMean: true }) : raw;
      const found = generalisedAdvantages(layout, { rewards, values }, { gamma, lambda });
      const advantages = whitenAdvantages ? whiten(found.advantages) : found.advantages;
      const { returns } = found;
      const explained = explainedVariance(values, returns);
      return worker.finish({
        ...{ number, sampled, rollouts, judged },
        training: { kind: 'advantages', advantages, critic: { values, returns } },
        metrics: {
          'ppo/mean_value': moments(values).mean,
          ...(explained !== null && { 'ppo/value_explained_variance': explained }),
        },
      });
    },

    trainsPolicy: ({ number }) => number >= criticWarmup,

    update({ number, rollouts, training }, units) {
      const { advantages, critic: known } = training;
      // The mean over all tokens, as in TRL.
      const how = { level: 'token', reduction: 'dapo', kl } as const;
      const policy = number < criticWarmup ? null : surrogateTerm(options, advantages, how);
      const learning: CriticTerm = {
        ...{ role: critic.role, shared: options.critic === 'shared' },
        coefficient: options.valueCoefficient,
        loss(values, { layout, totals, part }) {
          const targets = { old: part(known.values), returns: part(known.returns) }; // [N] each
          const losses = valueLoss({ values, ...targets }, options.valueClip); // [N]
          return reduceLoss(losses, reductionWeights(layout, 'dapo', { totals }));
        },
      };
      return updatePolicy(parts, rollouts, units.flat(), { policy, critic: learning });
    },
  };
}

export const ppoMethod = onlineMethod(ppoDefinition, {
  algorithm: ppo,
  addRole: addCritic,
  trained: ({ parameters }) => parameters,
  facts: ({ parameters }, { critic, criticFrom, criticLearningRate, learningRate }) => {
    const what =
      critic === 'shared' ? "a head on the policy's adapter" : 'its own adapter and head';
    const from = criticFrom === null ? '' : `, from ${criticFrom}`;
    const rate = criticLearningRate ?? learningRate;
    const count = [...parameters.values()].reduce((sum, { size }) => sum + size, 0);
    return [
      {
        name: 'critic',
        text: `${what}${from}, learning rate ${rate}`,
        data: { kind: critic, from: criticFrom, learningRate: rate, parameters: count },
      },
    ];
  },
  rateOf({ own: critic }, { criticLearningRate: rate, learningRate }) {
    const factor = rate === null ? 1 : rate / learningRate;
    return (name) => (critic.parameters.has(name) ? factor : 1);
  },
});

/** Training with PPO, for the command line and for programs. */
export const { run: runPpo, train: trainPpo } = ppoMethod;
/** Options of a training with PPO. */
export type TrainPpoOptions = SomeOptions<PpoOptions>;
