// REINFORCE: Williams 1992, eq. 11, over whole answers:
//   loss = -sum_t (R - baseline) log pi(y_t),   R = r - b KL(pi || pi_ref)
// The baseline is a moving mean of earlier batches (section 4), or the mean of the same batch,
// which scales the gradient by (S - 1)/S.
import { batchBaselineAdvantages } from '../../objectives/online/reinforce.ts';
import { whiten } from '../../objectives/online/whitening.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import type { AdvantageTraining } from '../../rollouts/training.ts';
import { needsOld, type OnlineAlgorithm, scheduleOf } from '../online/online-algorithm.ts';
import { onlineMethod, type SomeOptions } from '../online/online-method.ts';
import { reinforceTerm } from '../online/policy-loss.ts';
import { updatePolicy } from '../online/policy-update.ts';
import { klWorker } from '../online/worker-options.ts';
import { type ReinforceOptions, reinforceDefinition } from './reinforce-options.ts';
import { RunningBaseline } from './running-baseline.ts';

export function reinforce(
  options: ReinforceOptions,
  parts: OnlineParts,
): OnlineAlgorithm<AdvantageTraining> {
  const worker = klWorker(options, parts, { comparesWithinPrompts: false });
  const { kl } = worker;
  const baseline =
    options.baseline === 'running' ? new RunningBaseline(options.baselineDecay) : null;

  return {
    worker,
    schedule: scheduleOf({}),
    remembered: baseline === null ? {} : { baseline },

    async rollOut(prompts, number) {
      const sampled = await worker.sample(prompts, number);
      const judged = await worker.judge(sampled);
      const rollouts = await worker.score(sampled, { old: needsOld(kl) });
      const { layout } = rollouts;
      const rewards = worker.rewards(rollouts, judged.shaped); // [S]
      const advantages = baseline?.advantages(rewards) ?? batchBaselineAdvantages(rewards); // [S]
      const used = options.whitenAdvantages ? whiten(advantages) : advantages;
      return worker.finish({
        ...{ number, sampled, rollouts, judged },
        training: { kind: 'advantages', advantages: layout.spread(used) },
      });
    },

    update({ rollouts, training }, units) {
      const policy = reinforceTerm(options, training.advantages, kl);
      return updatePolicy(parts, rollouts, units.flat(), { policy });
    },
  };
}

export const reinforceMethod = onlineMethod(reinforceDefinition, { algorithm: reinforce });

/** Training with REINFORCE, for the command line and for programs. */
export const { run: runReinforce, train: trainReinforce } = reinforceMethod;
/** Options of a training with REINFORCE. */
export type TrainReinforceOptions = SomeOptions<ReinforceOptions>;
