// REINFORCE leave-one-out: Ahmadian et al. 2024, arXiv:2402.14740, section 2.3. The baseline of an
// answer is the mean reward of the k - 1 others to its prompt:
//   A_i = R_i - 1/(k - 1) sum_{j != i} R_j,   R = r - b KL(pi || pi_ref)
// The ratio is the whole answer's, clipped as in TRL. With a single step on each batch it is 1, and
// the gradient is the paper's.
import { leaveOneOutAdvantages } from '../../objectives/online/group-advantages.ts';
import { whiten } from '../../objectives/online/whitening.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import type { AdvantageTraining } from '../../rollouts/training.ts';
import { needsOld, type OnlineAlgorithm, scheduleOf } from '../online/online-algorithm.ts';
import { onlineMethod, type SomeOptions } from '../online/online-method.ts';
import { surrogateTerm } from '../online/policy-loss.ts';
import { updatePolicy } from '../online/policy-update.ts';
import { klWorker } from '../online/worker-options.ts';
import { type RlooOptions, rlooDefinition } from './rloo-options.ts';

export function rloo(options: RlooOptions, parts: OnlineParts): OnlineAlgorithm<AdvantageTraining> {
  const worker = klWorker(options, parts, { comparesWithinPrompts: true });
  const { kl } = worker;

  return {
    worker,
    schedule: scheduleOf(options),

    async rollOut(prompts, number) {
      const sampled = await worker.sample(prompts, number);
      const judged = await worker.judge(sampled);
      const rollouts = await worker.score(sampled, { old: needsOld(kl, options) });
      const { layout } = rollouts;
      const rewards = worker.rewards(rollouts, judged.shaped); // [S]
      const { advantages, zeroVariance, groups } = leaveOneOutAdvantages(layout, rewards); // [S]
      const used = options.whitenAdvantages ? whiten(advantages) : advantages;
      return worker.finish({
        ...{ number, sampled, rollouts, judged },
        training: { kind: 'advantages', advantages: layout.spread(used) },
        metrics: { frac_reward_zero_std: zeroVariance / groups },
      });
    },

    update({ rollouts, training }, units) {
      // Every token of an answer has the answer's ratio: their mean counts it once.
      const how = { level: 'sequence_product', reduction: 'grpo', kl } as const;
      const policy = surrogateTerm(options, training.advantages, how);
      return updatePolicy(parts, rollouts, units.flat(), { policy });
    },
  };
}

export const rlooMethod = onlineMethod(rlooDefinition, { algorithm: rloo });

/** Training with RLOO, for the command line and for programs. */
export const { run: runRloo, train: trainRloo } = rlooMethod;
/** Options of a training with RLOO. */
export type TrainRlooOptions = SomeOptions<RlooOptions>;
