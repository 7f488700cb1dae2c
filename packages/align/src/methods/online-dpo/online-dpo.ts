// Online DPO: Guo et al. 2024, arXiv:2402.04792, algorithm 1. Answers are sampled from the policy,
// the reward ranks them, and a paired objective, by default DPO's (arXiv:2305.18290, eq. 7), is
// minimised on the best and the worst answer to each prompt:
//   loss = -log s(b [log pi/pi_ref (y_w) - log pi/pi_ref (y_l)])
// Deviation: the paper has two answers to each prompt; here the best and the worst of several.
// Prompts whose answers all have the same reward give no pair.

import { completeOptions } from '../../objectives/mixture.ts';
import { bestAndWorst, wideEnough } from '../../objectives/online/preference-pairs.ts';
import { pairedObjective } from '../../objectives/registry.ts';
import { KlPenalty } from '../../rollouts/kl-penalty.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import { RolloutWorker } from '../../rollouts/rollout-worker.ts';
import type { PairTraining } from '../../rollouts/training.ts';
import { type OnlineAlgorithm, scheduleOf } from '../online/online-algorithm.ts';
import { onlineMethod, type SomeOptions } from '../online/online-method.ts';
import { rolloutOptions } from '../online/worker-options.ts';
import { type OnlineDpoOptions, onlineDpoDefinition } from './online-dpo-options.ts';
import { type PairTerm, updateOnPairs } from './pair-update.ts';

export const NO_PAIR =
  "no prompt gave a pair. The rewards of a prompt's answers are equal, or closer than --min-score-gap. " +
  'Check the reward, or raise --num-generations';

/** The objective on sampled pairs that the options name. */
export function sampledPairTerm(options: { loss: string; temperature: number }): PairTerm {
  const objective = pairedObjective(options.loss);
  const { temperature } = options;
  return { objective, options: completeOptions(objective, { ...options }), temperature };
}

export function onlineDpo(
  options: OnlineDpoOptions,
  parts: OnlineParts,
): OnlineAlgorithm<PairTraining> {
  const worker = new RolloutWorker(parts, {
    ...rolloutOptions(options),
    // The objective itself compares with the reference.
    ...{ kl: KlPenalty.measured(), comparesWithinPrompts: true },
  });
  const term = sampledPairTerm(options);
  const leastGap = options.minScoreGap ?? 0;

  return {
    worker,
    schedule: scheduleOf(options),
    emptyReason: NO_PAIR,

    async rollOut(prompts, number) {
      const sampled = await worker.sample(prompts, number);
      const judged = await worker.judge(sampled);
      const rollouts = await worker.score(sampled);
      const { layout } = rollouts;
      const ranked = bestAndWorst(layout, judged.shaped);
      const { pairs, narrow } = wideEnough(ranked.pairs, leastGap);
      return worker.finish({
        ...{ number, sampled, rollouts, judged },
        training: { kind: 'pairs', pairs },
        metrics: {
          frac_reward_zero_std: ranked.ties / layout.members().size,
          ...(leastGap > 0 && { 'pairs/below_gap': narrow }),
        },
      });
    },

    update: (batch, units) => updateOnPairs(parts, batch, units, term),
  };
}

export const onlineDpoMethod = onlineMethod(onlineDpoDefinition, { algorithm: onlineDpo });

/** Training with online DPO, for the command line and for programs. */
export const { run: runOnlineDpo, train: trainOnlineDpo } = onlineDpoMethod;
/** Options of a training with online DPO. */
export type TrainOnlineDpoOptions = SomeOptions<OnlineDpoOptions>;
