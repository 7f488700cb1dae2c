import { z } from 'zod';
import { option, variant } from '../../config/options.ts';
import {
  checkTraining,
  type DefaultRates,
  defineTraining,
  learningRateOf,
  trainingShape,
} from '../../config/training-options.ts';
import { ensembleRules } from '../../rewards/ensemble.ts';

const objective = 'Objective';
const head = 'Reward head';
const ensemble = 'Ensemble and normalisation';

/**
 * InstructGPT trains all weights at 9e-6; TRL trains reward models at 1e-4, which suits an adapter.
 */
const rates: DefaultRates = { full: 1e-5, lora: 1e-4 };
/** Share of the rows that each head of an ensemble is trained on. */
const HEAD_SHARE = 0.8;

const rewardObject = z
  .strictObject({
    ...trainingShape,
    learningRate: learningRateOf(rates),
    data: variant(trainingShape.data, {
      description:
        'pairs, rankings or step-labelled answers: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    }),
    maxLength: variant(trainingShape.maxLength, {
      description:
        'maximum tokens of prompt plus answer; longer rows are skipped, since the score is read at the end of the answer; none: no limit',
    }),
    seed: variant(trainingShape.seed, {
      description:
        'seed for the row order, the heads and their rows, LoRA initialisation and dropout',
    }),
    margin: option(z.enum(['row', 'scores', 'none']).default('row'), {
      description:
        'pairs: target margin of the chosen over the rejected reward: row, the field "margin"; scores, score_chosen minus score_rejected; none, 0. Rows without the fields have a margin of 0',
      group: objective,
    }),
    marginScale: option(z.number().positive().default(1), {
      description: 'pairs: factor applied to the margins',
      group: objective,
      value: 'factor',
    }),
    centerRewardsCoefficient: option(z.number().min(0).default(0), {
      description:
        "pairs: weight of the squared sum of a pair's rewards, which centres rewards around 0; usually 0.01",
      group: objective,
      value: 'weight',
    }),
    rankingLoss: option(z.enum(['plackett_luce', 'all_pairs']).default('plackett_luce'), {
      description: 'rankings: Plackett-Luce, or the mean over all pairs of a prompt (InstructGPT)',
      group: objective,
    }),
    lmWeight: option(z.number().min(0).default(0), {
      description:
        'weight of a language-modelling term: the mean token loss of chosen or best answers',
      group: objective,
      value: 'weight',
    }),
    readAt: option(z.enum(['last', 'last_not_pad']).default('last'), {
      description:
        "token at which an answer's score is read: its last, or the last that is not the pad token (as in TRL, which matters if the end-of-sequence token is the pad token)",
      group: head,
    }),
    stepSeparator: option(z.string().default('\n'), {
      description:
        'process rewards: separator after each step; the score of a step is read at its end',
      group: head,
      value: 'text',
      literal: true,
      shownDefault: 'a line break',
    }),
    head: option(z.string().min(1).nullable().default(null), {
      description:
        'start from this head: a safetensors file with score.weight, or a JSON list of weights',
      group: head,
      reads: 'file',
      shownDefault: "the model's or the adapter's head, otherwise small random weights",
    }),
    heads: option(z.number().int().min(1).nullable().default(null), {
      description: 'number of heads: an ensemble on one model',
      group: ensemble,
      common: true,
      shownDefault: 'as many as the initial model has, otherwise 1',
    }),
    lengthHead: option(z.boolean().default(false), {
      description:
        'train a second head that takes over what goes with length; only the first, the quality head, is the reward afterwards (ODIN)',
      group: head,
    }),
    lengthWeight: option(z.number().min(0).default(1), {
      description:
        "with --length-head: weight of the heads' correlations with length over an optimizer step",
      group: head,
      value: 'weight',
    }),
    orthogonalityWeight: option(z.number().min(0).default(1), {
      description: 'with --length-head: weight of the overlap (cosine) of both heads',
      group: head,
      value: 'weight',
    }),
    headShare: option(z.number().gt(0).max(1).nullable().default(null), {
      description: 'share of the rows that each head is trained on, drawn with --seed',
      group: ensemble,
      value: 'share',
      shownDefault: `${HEAD_SHARE} with several heads, otherwise 1`,
    }),
    ensemble: option(z.enum(ensembleRules).default('mean'), {
      description:
        'how the scores of several heads are combined: mean, minimum, lower_bound (mean - k standard deviations) or uncertainty_weighted (mean - k variances)',
      group: ensemble,
    }),
    ensembleK: option(z.number().min(0).default(1), {
      description: 'k in --ensemble lower_bound and uncertainty_weighted',
      group: ensemble,
      value: 'k',
    }),
    normalise: option(z.enum(['mean', 'mean_and_deviation', 'none']).default('mean'), {
      description:
        'normalise rewards on a reference set: to mean 0, or to mean 0 and standard deviation 1; saved in reward.json next to the model',
      group: ensemble,
    }),
    normaliseData: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
      description: 'rows of the reference set: as in --data, or {prompt, completion}',
      group: ensemble,
      reads: 'rows',
      shownDefault: 'the training rows',
    }),
    normaliseRows: option(z.number().int().min(1).default(256), {
      description: 'maximum number of rows of the reference set, evenly spaced',
      group: ensemble,
      value: 'rows',
    }),
  })
  .check((context) => {
    checkTraining(context);
    const { ensemble: rule, heads, normalise, normaliseData, lengthHead } = context.value;
    const add = (name: string, message: string): void => {
      context.issues.push({ code: 'custom', path: [name], message, input: context.value });
    };
    if ((rule === 'lower_bound' || rule === 'uncertainty_weighted') && heads === 1) {
      add('ensemble', `${rule} uses the spread between heads. Pass --heads 2 or more`);
    }
    if (lengthHead && heads !== null) {
      add('heads', 'an ensemble has no length head. Remove --heads, or --length-head');
    }
    if (lengthHead && rule !== 'mean') {
      add('ensemble', `${rule} combines several heads, and with --length-head one is the reward`);
    }
    for (const name of ['lengthWeight', 'orthogonalityWeight'] as const) {
      if (lengthHead || context.value[name] === 1) continue;
      add(name, 'has no effect without --length-head');
    }
    if (normalise === 'none' && normaliseData !== null) {
      add('normaliseData', 'has no effect with --normalise none. Pass mean or mean_and_deviation');
    }
  });

/** Options of `keel reward`. */
export const rewardDefinition = defineTraining('reward', rewardObject, rates);

/** Options of a run that trains a reward model, with every default filled in. */
export type RewardOptions = ReturnType<typeof rewardDefinition.complete>;

/** Share of the rows that each head is trained on. */
export const headShare = ({ headShare: given, lengthHead }: RewardOptions, heads: number): number =>
  given ?? (heads > 1 && !lengthHead ? HEAD_SHARE : 1);
