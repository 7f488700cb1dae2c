// ReMax: Li et al. 2023, arXiv:2310.10505, section 4. REINFORCE whose baseline is the reward of the
// greedy answer to the same prompt:
//   loss = -sum_t (R(y) - R(y_greedy)) log pi(y_t),   R = r - b KL(pi || pi_ref)
import { greedyBaselineAdvantages } from '../../objectives/online/greedy-baseline.ts';
import { whiten } from '../../objectives/online/whitening.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import type { AdvantageTraining } from '../../rollouts/training.ts';
import { needsOld, type OnlineAlgorithm, scheduleOf } from '../online/online-algorithm.ts';
import { onlineMethod, type SomeOptions } from '../online/online-method.ts';
import { reinforceTerm } from '../online/policy-loss.ts';
import { updatePolicy } from '../online/policy-update.ts';
import { klWorker } from '../online/worker-options.ts';
import { type RemaxOptions, remaxDefinition } from './remax-options.ts';

export function remax(
  options: RemaxOptions,
  parts: OnlineParts,
): OnlineAlgorithm<AdvantageTraining> {
  const worker = klWorker(options, parts, { comparesWithinPrompts: false });
  const { kl } = worker;
  const old = needsOld(kl);

  return {
    worker,
    schedule: scheduleOf({}),

    async rollOut(prompts, number) {
      const sampled = await worker.sample(prompts, number);
      const judged = await worker.judge(sampled);
      const rollouts = await worker.score(sampled, { old });
      const greedy = await worker.sampleGreedily(prompts);
      const greedyScores = await worker.judgeBaseline(greedy); // [P]
      const greedyRewards = worker.rewards(await worker.score(greedy, { old }), greedyScores);
      const baseline = new Map(greedy.samples.map(({ group }, at) => [group, greedyRewards[at]!]));
      const { layout } = rollouts;
      const rewards = worker.rewards(rollouts, judged.shaped); // [S]
      const advantages = greedyBaselineAdvantages(layout, rewards, baseline); // [S]
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

export const remaxMethod = onlineMethod(remaxDefinition, { algorithm: remax });

/** Training with ReMax, for the command line and for programs. */
export const { run: runRemax, train: trainRemax } = remaxMethod;
/** Options of a training with ReMax. */
export type TrainRemaxOptions = SomeOptions<RemaxOptions>;
