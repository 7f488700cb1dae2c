// D2PO: Singhal et al. 2024, arXiv:2405.01511, algorithm 1. Online DPO in which the reward (the
// expensive gold source) labels the pairs of only some prompts. A discriminator is trained on them
// and labels the pairs of all other prompts.
import { join } from 'node:path';
import { writeFolderAtomic } from '../../files/atomic-write.ts';
import { KlPenalty } from '../../rollouts/kl-penalty.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import { RolloutWorker } from '../../rollouts/rollout-worker.ts';
import type { PairTraining } from '../../rollouts/training.ts';
import { type OnlineAlgorithm, scheduleOf } from '../online/online-algorithm.ts';
import { onlineMethod, type SomeOptions } from '../online/online-method.ts';
import { rolloutOptions } from '../online/worker-options.ts';
import { NO_PAIR, sampledPairTerm } from '../online-dpo/online-dpo.ts';
import { updateOnPairs } from '../online-dpo/pair-update.ts';
import { type D2poOptions, d2poDefinition, discriminatorWarmup } from './d2po-options.ts';
import { Discriminator } from './discriminator.ts';
import { Labeller } from './labeller.ts';

export function d2po(
  options: D2poOptions,
  parts: OnlineParts,
  discriminator: Discriminator,
): OnlineAlgorithm<PairTraining> {
  const worker = new RolloutWorker(parts, {
    ...rolloutOptions(options),
    // The objective itself compares with the reference.
    ...{ kl: KlPenalty.measured(), comparesWithinPrompts: true },
  });
  const term = sampledPairTerm(options);
  const labeller = new Labeller({
    ...parts,
    discriminator,
    settings: {
      goldShare: options.goldShare,
      goldBudget: options.goldBudget,
      goldChoice: options.goldChoice,
      minGap: options.minScoreGap ?? 0,
      minSilverGap: options.minSilverGap ?? 0,
      warmup: discriminatorWarmup(options),
    },
  });

  return {
    worker,
    learner: labeller,
    schedule: scheduleOf(options),
    emptyReason: NO_PAIR,
    // Batches without a labelled prompt are no cause for concern.
    comparedShare: options.goldShare,

    async rollOut(prompts, number) {
      const sampled = await worker.sample(prompts, number);
      const rollouts = await worker.score(sampled);
      const { prompts: asked, samples } = sampled;
      const batch = { number, rollouts, sampled };
      const { gold, pairs, lines, metrics } = await labeller.label(batch, (sequences) =>
        worker.judge({ prompts: asked, samples: sequences.map((sequence) => samples[sequence]!) }),
      );
      return worker.finish({
        ...{ ...batch, lines, metrics },
        ...{ judged: gold.judged, sequences: gold.sequences },
        training: { kind: 'pairs', pairs },
      });
    },

    update: (batch, units) => updateOnPairs(parts, batch, units, term),
  };
}

export const d2poMethod = onlineMethod(d2poDefinition, {
  algorithm: d2po,
  addRole: (model, _, options) => Discriminator.add(model, options),
  facts: (
    { parameters },
    { discriminatorFrom: from, discriminatorLearningRate: rate, goldBudget },
  ) => {
    const count = [...parameters.values()].reduce((sum, { size }) => sum + size, 0);
    const budget = goldBudget === null ? 'no limit of gold labels' : `${goldBudget} gold labels`;
    return [
      {
        name: 'discriminator',
        text: `an adapter and a head${from === null ? '' : `, from ${from}`}, learning rate ${rate}; ${budget}`,
        data: { from, learningRate: rate, parameters: count, goldBudget },
        // Weights and both moments, in float32.
        checkpointBytes: 3 * 4 * count,
      },
    ];
  },
  async finish(discriminator, path, notice) {
    const folder = join(path, 'discriminator');
    const { readingNotice } = discriminator;
    if (readingNotice !== null) notice(`${folder}: ${readingNotice}`);
    await writeFolderAtomic(folder, (into) => discriminator.save(into));
  },
});

/** Training with D2PO, for the command line and for programs. */
export const { run: runD2po, train: trainD2po } = d2poMethod;
/** Options of a training with D2PO. */
export type TrainD2poOptions = SomeOptions<D2poOptions>;
