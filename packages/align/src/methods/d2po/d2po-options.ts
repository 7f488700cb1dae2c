import { z } from 'zod';
import { option, variant, withCompletion } from '../../config/options.ts';
import { defineTraining } from '../../config/training-options.ts';
import { checkRolesShareBase } from '../online/check-online.ts';
import { onlineShape } from '../online/online-options.ts';
import {
  checkSampledPairs,
  completeSampledPairs,
  sampledPairsShape,
} from '../online-dpo/online-dpo-options.ts';

const labels = 'Gold labels';
const discriminator = 'Discriminator';

/** For a discriminator that starts from zero: after a pair or two, its labels are still noise. */
const WARMUP = 16;

// Rewards and the discriminator's scores are on different scales, so pairs have no score gap that
// an objective could use.
const pairs = sampledPairsShape([]);

const d2poObject = z
  .strictObject({
    ...onlineShape,
    ...pairs,
    reward: variant(onlineShape.reward, {
      description:
        "gold reward, which labels only some of the pairs: a spec (YAML, JSON), a reward model's folder, module.ts, regex:/…/, length:…, penalty:…, code or judge:model",
    }),
    minScoreGap: variant(pairs.minScoreGap, {
      description:
        'do not train the policy on gold pairs whose rewards differ by less (for silver pairs: --min-silver-gap)',
    }),
    minSilverGap: option(z.number().min(0).nullable().default(null), {
      description:
        'skip silver pairs whose discriminator scores differ by less; a gap of 1 means 73% confidence, 2 means 88%',
      group: 'Pairs',
      value: 'gap',
      shownDefault: 'skip only pairs with equal scores',
    }),
    goldShare: option(z.number().gt(0).max(1).default(0.25), {
      description: 'share of the prompts for which the gold reward labels one pair of answers',
      group: labels,
      value: 'share',
      common: true,
    }),
    goldBudget: option(z.number().int().min(1).nullable().default(null), {
      description:
        'maximum pairs that the gold reward labels in the whole run; after that, the frozen discriminator labels all pairs',
      group: labels,
      value: 'pairs',
      common: true,
      shownDefault: 'no limit',
    }),
    goldChoice: option(z.enum(['random', 'uncertain']).default('random'), {
      description:
        'pairs to send to the gold reward: random ones, or those that the discriminator is least certain about (its accuracy on them then says nothing about silver labels)',
      group: labels,
    }),
    discriminatorFrom: option(z.string().min(1).nullable().default(null), {
      description:
        "start the discriminator from this reward model's adapter, trained on the same base model",
      group: discriminator,
      reads: 'folder',
      shownDefault: 'all scores 0',
    }),
    discriminatorWarmup: option(z.number().int().min(0).nullable().default(null), {
      description: 'gold pairs to train the discriminator on before it labels any pair',
      group: discriminator,
      value: 'pairs',
      shownDefault: `0 with --discriminator-from, otherwise ${WARMUP}`,
    }),
    discriminatorLearningRate: option(z.number().positive().default(1e-4), {
      description: 'learning rate of the discriminator (no warm-up, no decay)',
      group: discriminator,
      value: 'rate',
    }),
    discriminatorEpochs: option(z.number().int().min(1).default(1), {
      description: 'discriminator epochs over its gold pairs after each batch with new ones',
      group: discriminator,
      value: 'epochs',
    }),
    discriminatorBatchSize: option(z.number().int().min(1).default(8), {
      description: 'gold pairs per optimizer step of the discriminator',
      group: discriminator,
      value: 'pairs',
    }),
    discriminatorMemory: option(z.number().int().min(1).nullable().default(16), {
      description: 'train the discriminator only on the latest gold pairs, this many; none: on all',
      group: discriminator,
      value: 'pairs',
    }),
  })
  .check((context) => {
    checkSampledPairs(context);
    const { value, issues } = context;
    const add = (name: string, message: string): void => {
      issues.push({ code: 'custom', path: [name], message, input: value });
    };
    checkRolesShareBase(value, { verb: 'd2po', role: 'discriminator' }, add);
    const warmup = discriminatorWarmup(value);
    if (value.goldBudget !== null && value.goldBudget < warmup) {
      add(
        'goldBudget',
        `the discriminator would never label a pair, since it first trains on ${warmup} gold pairs. Pass a larger budget or a smaller --discriminator-warmup`,
      );
    }
  });

/** Options of `keel d2po`. */
export const d2poDefinition = withCompletion(
  defineTraining('d2po', d2poObject),
  completeSampledPairs,
);

/** Options of a D2PO run, with every default filled in. */
export type D2poOptions = ReturnType<typeof d2poDefinition.complete>;

/** Number of gold pairs before the first silver one. */
export const discriminatorWarmup = ({
  discriminatorWarmup: asked,
  discriminatorFrom: from,
}: Pick<D2poOptions, 'discriminatorWarmup' | 'discriminatorFrom'>): number =>
  asked ?? (from === null ? WARMUP : 0);
