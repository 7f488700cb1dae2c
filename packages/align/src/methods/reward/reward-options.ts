import { z } from 'zod';
import { option } from '../../config/options.ts';
import {
  checkTraining,
  type DefaultRates,
  defineTraining,
  learningRateOf,
  trainingShape,
} from '../../config/training-options.ts';
import { ensembleRules } from '../../rewards/ensemble.ts';

const objective = 'Objective';
const head = 'Head';
const ensemble = 'Ensemble and normalisation';

/**
 * InstructGPT's rate for all weights is 9e-6; TRL's for reward models is 1e-4, which suits an
 * adapter.
 */
const rates: DefaultRates = { full: 1e-5, lora: 1e-4 };
/** Share of the rows that each of several heads sees. */
const HEAD_SHARE = 0.8;

const rewardObject = z
  .strictObject({
    ...trainingShape,
    learningRate: learningRateOf(rates),
    maxLength: option(trainingShape.maxLength, {
      description:
        'tokens of prompt and answer together; rows with a longer answer are left out, since a score is read at its end; none: no limit',
      group: 'Batching and length',
      value: 'tokens',
    }),
    seed: option(trainingShape.seed, {
      description: 'seed of the row order, the heads and their shares, LoRA weights and dropout',
      group: 'Batching and length',
    }),
    margin: option(z.enum(['row', 'scores', 'none']).default('row'), {
      description:
        "pairs: by how much the chosen answer is to lead: the row's margin, score_chosen less score_rejected, or 0; where a row has none, 0",
      group: objective,
      value: 'which',
    }),
    marginScale: option(z.number().positive().default(1), {
      description: 'factor on margins',
      group: objective,
      value: 'factor',
    }),
    centerRewardsCoefficient: option(z.number().min(0).default(0), {
      description:
        "weight of the square of a pair's summed rewards, which holds them near 0; 0.01 is usual",
      group: objective,
      value: 'weight',
    }),
    rankingLoss: option(z.enum(['plackett_luce', 'all_pairs']).default('plackett_luce'), {
      description:
        'rankings: Plackett-Luce, or the mean over all pairs of a prompt, as InstructGPT does',
      group: objective,
      value: 'name',
    }),
    lmWeight: option(z.number().min(0).default(0), {
      description:
        'weight of a language-model term, the mean token loss of chosen or best answers, in the same pass',
      group: objective,
      value: 'weight',
    }),
    readAt: option(z.enum(['last', 'last_not_pad']).default('last'), {
      description:
        "where an answer's score is read: at its last token, or at the last that is not the model's pad token, as TRL does where that is the end-of-sequence token too",
      group: head,
      value: 'where',
    }),
    stepSeparator: option(z.string().default('\n'), {
      description: 'process rewards: text after each step; its score is read at the end of it',
      group: head,
      value: 'text',
      literal: true,
    }),
    head: option(z.string().min(1).nullable().default(null), {
      description:
        "start from this head (a safetensors file with score.weight, or a JSON list); none: the model's or the adapter's own, else small random weights",
      group: head,
      value: 'file',
    }),
    heads: option(z.number().int().min(1).nullable().default(null), {
      description: 'heads of an ensemble on one model; none: as many as the start has, else 1',
      group: ensemble,
    }),
    headShare: option(z.number().gt(0).max(1).nullable().default(null), {
      description: `share of the rows that each head sees, its own by --seed; none: ${HEAD_SHARE} with several heads, else 1`,
      group: ensemble,
      value: 'share',
    }),
    ensemble: option(z.enum(ensembleRules).default('mean'), {
      description:
        'one score of several heads: mean, minimum, lower_bound (mean - k standard deviations) or uncertainty_weighted (mean - k variances)',
      group: ensemble,
      value: 'rule',
    }),
    ensembleK: option(z.number().min(0).default(1), {
      description: 'the k of --ensemble',
      group: ensemble,
      value: 'k',
    }),
    normalise: option(z.enum(['mean', 'mean_and_deviation', 'none']).default('mean'), {
      description:
        'shift rewards so that those of a reference set have mean 0, and divide by their standard deviation; kept in reward.json beside the model',
      group: ensemble,
      value: 'how',
    }),
    normaliseData: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description:
        'reference set: answers as in --data, or {prompt, completion}; none: answers of the training rows',
      group: ensemble,
      value: 'path',
      commas: false,
    }),
    normaliseRows: option(z.number().int().min(1).default(256), {
      description: 'most rows of the reference set, evenly spread over it',
      group: ensemble,
      value: 'rows',
    }),
  })
  .check((context) => {
    checkTraining(context);
    const { ensemble: rule, heads, normalise, normaliseData } = context.value;
    const add = (name: string, message: string): void => {
      context.issues.push({ code: 'custom', path: [name], message, input: context.value });
    };
    if ((rule === 'lower_bound' || rule === 'uncertainty_weighted') && heads === 1) {
      add('ensemble', `${rule} weighs how much heads differ: give --heads 2 or more`);
    }
    if (normalise === 'none' && normaliseData !== null) {
      add('normaliseData', 'a reference set is for --normalise mean or mean_and_deviation');
    }
  });

/** Options of `keel reward`. */
export const rewardDefinition = defineTraining('reward', rewardObject, rates);

/** Options of a run that trains a reward model, every default filled in. */
export type RewardOptions = ReturnType<typeof rewardDefinition.complete>;

/** Share of the rows that each of so many heads sees. */
export const headShare = ({ headShare: given }: RewardOptions, heads: number): number =>
  given ?? (heads > 1 ? HEAD_SHARE : 1);
