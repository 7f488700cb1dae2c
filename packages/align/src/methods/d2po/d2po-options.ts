import { z } from 'zod';
import { option, withCompletion } from '../../config/options.ts';
import { defineTraining } from '../../config/training-options.ts';
import { checkRolesShareBase, onlineShape } from '../online/online-options.ts';
import {
  checkSampledPairs,
  completeSampledPairs,
  sampledPairsShape,
} from '../online-dpo/online-dpo-options.ts';

const labels = 'Labels';
const discriminator = 'Discriminator';

/**
 * Where the discriminator begins without a preference: silver labels of one that knows a pair or
 * two are noise.
 */
const WARMUP = 16;

// Rewards and the discriminator's scores are not on one scale: a pair has no gap that an objective
// could learn.
const pairs = sampledPairsShape([]);

const d2poObject = z
  .strictObject({
    ...onlineShape,
    ...pairs,
    reward: option(onlineShape.reward, {
      description:
        'the gold source, which labels few pairs: a spec (YAML, JSON), a folder of a reward model, module.ts, regex:/…/, length:…, code, judge:model; as for keel score',
      group: 'Reward',
      value: 'reward',
    }),
    minScoreGap: option(pairs.minScoreGap, {
      description:
        'gold pairs whose rewards are less apart do not train the policy; none: only those of equal rewards. Silver pairs have --min-silver-gap',
      group: 'Objective',
      value: 'gap',
    }),
    minSilverGap: option(z.number().min(0).nullable().default(null), {
      description:
        'silver pairs whose scores by the discriminator are less apart are left out; a gap of 1 is 73% sure, 2 is 88%; none: only those of equal scores',
      group: 'Objective',
      value: 'gap',
    }),
    goldShare: option(z.number().gt(0).max(1).default(0.25), {
      description: 'share of the prompts of which the gold source labels one pair of answers each',
      group: labels,
      value: 'share',
    }),
    goldBudget: option(z.number().int().min(1).nullable().default(null), {
      description:
        'pairs that the gold source labels in the whole run; then the discriminator stays and labels alone; none: no limit',
      group: labels,
      value: 'pairs',
    }),
    goldChoice: option(z.enum(['random', 'uncertain']).default('random'), {
      description:
        'pairs for the gold source: drawn, or those that the discriminator is least sure of (its agreement then is no estimate for silver labels)',
      group: labels,
      value: 'how',
    }),
    discriminatorFrom: option(z.string().min(1).nullable().default(null), {
      description:
        'start the discriminator from this adapter of a reward model on the same base; none: from scores of 0',
      group: discriminator,
      value: 'folder',
    }),
    discriminatorWarmup: option(z.number().int().min(0).nullable().default(null), {
      description: `gold pairs that the discriminator learns before it labels; none: 0 with --discriminator-from, else ${WARMUP}`,
      group: discriminator,
      value: 'pairs',
    }),
    discriminatorLearningRate: option(z.number().positive().default(1e-4), {
      description: 'learning rate of the discriminator, without warm-up or decay',
      group: discriminator,
      value: 'rate',
    }),
    discriminatorEpochs: option(z.number().int().min(1).default(1), {
      description: 'passes of the discriminator over its gold pairs after each batch with new ones',
      group: discriminator,
      value: 'epochs',
    }),
    discriminatorBatchSize: option(z.number().int().min(1).default(8), {
      description: 'gold pairs of one optimizer step of the discriminator',
      group: discriminator,
      value: 'pairs',
    }),
    discriminatorMemory: option(z.number().int().min(1).nullable().default(16), {
      description: 'latest gold pairs on which the discriminator trains; none: all of the run',
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
        `the discriminator would never label: it learns ${warmup} gold pairs before. Give more, or a smaller --discriminator-warmup`,
      );
    }
  });

/** Options of `keel d2po`. */
export const d2poDefinition = withCompletion(
  defineTraining('d2po', d2poObject),
  completeSampledPairs,
);

/** Options of a D2PO run, every default filled in. */
export type D2poOptions = ReturnType<typeof d2poDefinition.complete>;

/** Gold pairs before the first silver one. */
export const discriminatorWarmup = ({
  discriminatorWarmup: asked,
  discriminatorFrom: from,
}: Pick<D2poOptions, 'discriminatorWarmup' | 'discriminatorFrom'>): number =>
  asked ?? (from === null ? WARMUP : 0);
