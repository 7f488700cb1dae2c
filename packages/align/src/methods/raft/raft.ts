// RAFT, rejection sampling: Dong et al. 2023, arXiv:2304.06767, algorithm 1. The policy is
// fine-tuned on the best answers to each prompt:
//   loss = -mean over the tokens of kept answers of log pi(y_t), at temperature 1
// As in ReST (Gulcehre et al. 2023, arXiv:2308.08998, section 3), a reward threshold can select
// answers too. Deviation: with --beta above 0, answers are ranked by their reward minus
// b KL(pi || pi_ref).
import { keptAnswers } from '../../objectives/online/kept-answers.ts';
import { reduceLoss, reductionWeights } from '../../objectives/online/loss-reductions.ts';
import { moments } from '../../objectives/online/whitening.ts';
import { KlPenalty } from '../../rollouts/kl-penalty.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import { RolloutWorker } from '../../rollouts/rollout-worker.ts';
import type { KeptTraining } from '../../rollouts/training.ts';
import type { Metrics } from '../../training/training-task.ts';
import { needsOld, type OnlineAlgorithm, scheduleOf } from '../online/online-algorithm.ts';
import { onlineMethod, type SomeOptions } from '../online/online-method.ts';
import type { PolicyTerm } from '../online/policy-loss.ts';
import { updatePolicy } from '../online/policy-update.ts';
import { rolloutOptions } from '../online/worker-options.ts';
import { type RaftOptions, raftDefinition } from './raft-options.ts';

/** Supervised fine-tuning uses temperature 1, whatever the sampling temperature. */
const TEMPERATURE = 1;

export function raft(options: RaftOptions, parts: OnlineParts): OnlineAlgorithm<KeptTraining> {
  const kl = raftKl(options);
  const worker = new RolloutWorker(parts, {
    ...rolloutOptions(options),
    ...{ temperature: TEMPERATURE, kl, comparesWithinPrompts: false },
  });
  const rule = { most: options.keep, threshold: options.rewardThreshold };

  return {
    worker,
    schedule: scheduleOf(options),
    emptyReason: `no answer reached --reward-threshold ${options.rewardThreshold}. Lower it, or check the reward`,

    async rollOut(prompts, number) {
      const sampled = await worker.sample(prompts, number);
      const judged = await worker.judge(sampled);
      const rollouts = await worker.score(sampled, { old: needsOld(kl, options) });
      const { layout } = rollouts;
      const ranked = worker.rewards(rollouts, judged.shaped); // [S]
      const sequences = keptAnswers(layout, ranked, rule);
      const kept = new Set(sequences);
      const prompted = new Set(sequences.map((sequence) => layout.groups[sequence]));
      const metrics: Metrics = {
        'kept/answers': sequences.length,
        'kept/prompts_left_out': layout.members().size - prompted.size,
      };
      if (sequences.length > 0) {
        const earned = sequences.map((sequence) => judged.shaped[sequence]!);
        metrics['kept/reward'] = moments(earned).mean;
      }
      return worker.finish({
        ...{ number, sampled, rollouts, judged, metrics },
        training: { kind: 'kept', sequences },
        lines: rollouts.everySequence.map((sequence) => ({ kept: kept.has(sequence) })),
      });
    },

    update({ rollouts }, units) {
      const policy: PolicyTerm = {
        temperature: TEMPERATURE,
        comparesSampler: options.temperature === TEMPERATURE,
        loss({ layout, policy: logprobs, totals }) {
          const weights = reductionWeights(layout, 'dapo', { totals });
          return { total: reduceLoss(logprobs.neg(), weights) }; // [N] -> scalar
        },
      };
      return updatePolicy(parts, rollouts, units.flat(), { policy });
    },
  };
}

/** Without LoRA there is no reference to measure the KL to. */
function raftKl({ lora, beta }: RaftOptions): KlPenalty | null {
  if (!lora) return null;
  if (beta === 0) return KlPenalty.measured();
  const how = { place: 'reward', estimator: 'k1', corrected: false, adaptive: null } as const;
  return new KlPenalty({ ...how, coefficient: beta });
}

export const raftMethod = onlineMethod(raftDefinition, { algorithm: raft });

/** Training with RAFT, for the command line and for programs. */
export const { run: runRaft, train: trainRaft } = raftMethod;
/** Options of a training with RAFT. */
export type TrainRaftOptions = SomeOptions<RaftOptions>;
