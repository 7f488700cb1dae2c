// Group relative policy optimization: Shao et al. 2024 (DeepSeekMath), arXiv:2402.03300, section
// 4.1. G answers to each prompt are sampled, and each is compared with the others (eq. 3):
//   A_i = (r_i - mean(r)) / std(r),   rho_i,t = pi(y_i,t) / pi_old(y_i,t)
//   J = 1/G sum_i 1/|y_i| sum_t [min(rho A, clip(rho, 1 - e, 1 + e) A) - b KL(pi || pi_ref)_i,t]
// Deviations, as in TRL: b is 0 by default, and 1e-4 is added to the standard deviation.
// Variants: Dr. GRPO (--loss dr_grpo --scale-rewards none), DAPO (--loss dapo --clip-range-high),
// GSPO (--ratio-level sequence).
import { groupAdvantages } from '../../objectives/online/group-advantages.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import type { AdvantageTraining } from '../../rollouts/training.ts';
import { needsOld, type OnlineAlgorithm, scheduleOf } from '../online/online-algorithm.ts';
import { onlineMethod, type SomeOptions } from '../online/online-method.ts';
import { surrogateTerm } from '../online/policy-loss.ts';
import { updatePolicy } from '../online/policy-update.ts';
import { klWorker } from '../online/worker-options.ts';
import { type GrpoOptions, grpoDefinition } from './grpo-options.ts';

export function grpo(options: GrpoOptions, parts: OnlineParts): OnlineAlgorithm<AdvantageTraining> {
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
      const scaling = options.scaleRewards;
      const { advantages, zeroVariance, groups } = groupAdvantages(layout, rewards, { scaling });
      return worker.finish({
        ...{ number, sampled, rollouts, judged },
        training: { kind: 'advantages', advantages: layout.spread(advantages) },
        metrics: { frac_reward_zero_std: zeroVariance / groups },
      });
    },

    update({ rollouts, training }, units) {
      const how = { level: options.ratioLevel, reduction: options.loss, kl };
      const policy = surrogateTerm(options, training.advantages, how);
      return updatePolicy(parts, rollouts, units.flat(), { policy });
    },
  };
}

export const grpoMethod = onlineMethod(grpoDefinition, { algorithm: grpo });

/** Training with GRPO, for the command line and for programs. */
export const { run: runGrpo, train: trainGrpo } = grpoMethod;
/** Options of a training with GRPO. */
export type TrainGrpoOptions = SomeOptions<GrpoOptions>;
