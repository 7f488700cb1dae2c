// Options of the verbs that sample from the policy: rollouts, their reward, KL, and updates.
import { z } from 'zod';
import { sampleShape } from '../../config/following-options.ts';
import { option, variant } from '../../config/options.ts';
import { checkTraining, trainingShape } from '../../config/training-options.ts';
import { checkRefresh, type RefreshOptions } from '../refresh/refresh-options.ts';
import { checkReferenceSync, referenceSyncShape } from './reference-sync-options.ts';
import { checkRewardShape, type RewardShapeOptions } from './reward-shape-options.ts';

const rollouts = 'Sampling';
const reward = 'Reward';
const kl = 'KL and reference';
const update = 'Policy update';

/** What a run does when its reward was gamed. */
export const alarmActions = ['warn', 'checkpoint', 'stop'] as const;
export type AlarmAction = (typeof alarmActions)[number];

/** Options of every online verb. */
export const onlineShape = {
  ...trainingShape,
  ...sampleShape,
  maxKl: option(z.number().positive().nullable().default(50), {
    description:
      'report a KL to the reference above this, in nats per answer, as a problem; changes nothing in training; none: no bound',
    group: kl,
    value: 'nats',
  }),
  data: variant(trainingShape.data, {
    description:
      'prompts: rows with a field "prompt"; the reward sees the other fields. JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
  }),
  evalData: variant(trainingShape.evalData, {
    description: 'held-out prompts to answer and score at evaluations',
  }),
  reward: option(z.string().min(1), {
    description:
      "reward for the answers: a spec (YAML, JSON), a reward model's folder, module.ts, regex:/…/, length:…, penalty:…, code or judge:model",
    group: reward,
    reads: 'reward',
  }),
  rewardConcurrency: option(z.number().int().min(1).default(16), {
    description:
      'concurrent calls of an asynchronous reward function; affects speed, not the rewards',
    group: reward,
    value: 'calls',
  }),
  rewardTimeout: option(z.number().positive().nullable().default(null), {
    description:
      'time limit for a call of a reward function, in seconds; the module then runs in another thread',
    group: reward,
    value: 'seconds',
    shownDefault: 'no limit',
  }),
  unsafeCode: option(z.boolean().default(false), {
    description: "run code from answers without a sandbox, with all of this user's rights",
    group: reward,
    flagOnly: true,
  }),
  gold: option(z.string().min(1).nullable().default(null), {
    description:
      'what the reward stands for: another reward, in the same forms, that scores the held-out answers at every evaluation; nothing is trained on it',
    group: reward,
    reads: 'reward',
    shownDefault: 'none',
  }),
  onAlarm: option(z.enum(alarmActions).default('warn'), {
    description:
      'what to do when the held-out answers show that the reward was gamed (--gold did not rise with it): report it, also save a checkpoint and continue, or also stop',
    group: reward,
  }),
  rewardClip: option(z.number().positive().nullable().default(null), {
    description: 'clip rewards to plus or minus this',
    group: reward,
    value: 'bound',
    shownDefault: 'no clipping',
  }),
  rewardScale: option(z.enum(['none', 'running']).default('none'), {
    description:
      'running: divide rewards by the standard deviation of all rewards so far, without centring, before --reward-clip',
    group: reward,
  }),
  missingEosPenalty: option(z.number().min(0).default(0), {
    description: 'reward penalty for answers truncated at --max-new-tokens',
    group: reward,
    value: 'reward',
  }),
  missingEos: option(z.enum(['subtract', 'replace']).default('subtract'), {
    description: "subtract the penalty from a truncated answer's reward, or replace the reward",
    group: reward,
  }),
  batchSize: option(trainingShape.batchSize, {
    description: 'prompts per rollout batch, each answered --num-generations times',
    group: rollouts,
    value: 'prompts',
    common: true,
  }),
  microBatchSize: variant(trainingShape.microBatchSize, {
    description:
      'prompts, with their answers, per forward and backward pass; affects speed and memory, not the gradient',
    value: 'prompts',
  }),
  maxNewTokens: option(z.number().int().min(1).default(256), {
    description: 'maximum answer length in tokens; longer answers are truncated',
    group: rollouts,
    value: 'tokens',
    common: true,
  }),
  minNewTokens: option(z.number().int().min(0).default(0), {
    description:
      'minimum answer length in tokens; the end token is masked until then, so above 0 the sampling distribution differs from the trained one',
    group: rollouts,
    value: 'tokens',
  }),
  temperature: option(z.number().positive().default(1), {
    description: 'sampling temperature, which also applies to the trained log-probabilities',
    group: rollouts,
    value: 'number',
  }),
  topK: option(z.number().int().min(1).nullable().default(null), {
    description: 'sample only from the k most likely tokens',
    group: rollouts,
    value: 'k',
    shownDefault: 'all',
  }),
  topP: option(z.number().gt(0).max(1).default(1), {
    description:
      'sample only from the most likely tokens that add up to this probability; below 1 the sampling distribution differs from the trained one',
    group: rollouts,
    value: 'p',
  }),
  samplesInFlight: option(z.number().int().min(1).default(16), {
    description: 'answers sampled at the same time; affects speed and memory',
    group: rollouts,
    value: 'answers',
  }),
  maxLength: variant(trainingShape.maxLength, {
    description:
      "maximum tokens of prompt plus answer; prompts that leave fewer than --max-new-tokens are skipped; none: the model's limit",
    common: false,
  }),
  seed: variant(trainingShape.seed, {
    description: 'seed for the prompt order, sampling, LoRA initialisation and dropout',
  }),
  epochs: variant(trainingShape.epochs, {
    description: 'passes over the prompts; may be a fraction',
  }),
  acceptChangedReward: option(z.boolean().default(false), {
    description:
      'with --resume: continue with a warning if the files of --reward have changed since the run was started',
    group: 'Command line only',
    flagOnly: true,
  }),
  showSamples: option(z.number().int().min(1).nullable().default(null), {
    description:
      'print this many of the best and of the worst answers of every rollout batch, with reward and KL (3 without a number); samples.jsonl has all answers',
    group: 'Command line only',
    value: 'answers',
    flagOnly: true,
    bare: 3,
    common: true,
    shownDefault: 'none',
  }),
  lora: option(z.boolean().default(true), {
    description:
      'train LoRA adapters. --no-lora trains the whole model, which leaves no reference (pass --beta 0) and no base for other roles to share',
    group: 'LoRA',
  }),
};

/** Number of answers per prompt. @param compared whether the method needs at least two */
export const generations = (usual: number, { compared = false } = {}) => {
  const count = z.number().int().min(1);
  const enough = count.refine((answers) => answers > 1, {
    error: 'expected at least 2, since the answers to a prompt are compared with each other',
  });
  return option((compared ? enough : count).default(usual), {
    description: compared
      ? 'answers sampled per prompt and compared with each other'
      : 'answers sampled per prompt',
    group: rollouts,
    value: 'answers',
    common: true,
  });
};

export const klPlaces = ['reward', 'loss'] as const;
export type KlPlace = (typeof klPlaces)[number];

/** The KL penalty. */
export const klShape = (usual: {
  beta: number;
  place: KlPlace;
  estimator: 'k1' | 'k2' | 'k3';
}) => ({
  beta: option(z.number().min(0).default(usual.beta), {
    description:
      'KL coefficient; the reference is the model before training; 0: no reference, no KL',
    group: kl,
    common: true,
  }),
  klIn: option(z.enum(klPlaces).default(usual.place), {
    description: 'subtract the KL from the reward, token by token, or add it to the loss',
    group: kl,
  }),
  klEstimator: option(z.enum(['k1', 'k2', 'k3']).default(usual.estimator), {
    description:
      'estimator of the KL per token: k1, the log-ratio; k2, half its square; k3, r - 1 - log r',
    group: kl,
  }),
  klCorrection: option(z.boolean().default(false), {
    description:
      'multiply the KL in the loss by the importance ratio, including its gradient: unbiased off-policy too',
    group: kl,
  }),
  klController: option(z.enum(['fixed', 'adaptive']).default('fixed'), {
    description: 'adaptive: after every batch, move --beta so that the KL approaches --kl-target',
    group: kl,
  }),
  klTarget: option(z.number().positive().default(6), {
    description: "target KL per answer of the adaptive controller, in nats (Ziegler et al.'s)",
    group: kl,
    value: 'nats',
  }),
  klHorizon: option(z.number().positive().default(10_000), {
    description: 'number of answers over which the adaptive controller corrects the whole error',
    group: kl,
    value: 'answers',
  }),
  ...referenceSyncShape(kl),
});

/** Options of several optimizer steps on one rollout batch. */
export const epochsShape = (usual: { iterations: number }) => ({
  numIterations: option(z.number().int().min(1).default(usual.iterations), {
    description: 'epochs over each rollout batch',
    group: update,
  }),
  minibatches: option(z.number().int().min(1).default(1), {
    description:
      'optimizer steps per epoch over a rollout batch; fewer if the batch has less to train on',
    group: update,
  }),
});

/** The same, with clipped importance ratios. */
export const updateShape = (usual: { iterations: number }) => ({
  ...epochsShape(usual),
  clipRange: option(z.number().min(0).max(1).default(0.2), {
    description: 'lower bound of importance ratios (new policy / old policy): 1 minus this',
    group: update,
    value: 'range',
  }),
  clipRangeHigh: option(z.number().min(0).nullable().default(null), {
    description: 'upper bound of importance ratios: 1 plus this',
    group: update,
    value: 'range',
    shownDefault: 'as --clip-range',
  }),
  dualClip: option(z.number().gt(1).nullable().default(null), {
    description: 'upper bound of the ratio for negative advantages, usually 3',
    group: update,
    value: 'ratio',
    shownDefault: 'no bound',
  }),
  targetKl: option(z.number().positive().nullable().default(null), {
    description:
      'skip the remaining steps on a batch once the KL from the sampling policy exceeds 1.5 times this',
    group: update,
    value: 'nats',
    shownDefault: 'never skip',
  }),
});

export const entropyShape = {
  entropyBonus: option(z.number().min(0).default(0), {
    description: "weight of the policy's entropy in the maximised objective",
    group: update,
    value: 'weight',
  }),
};

export const whitenAdvantages = (usual: boolean) => ({
  whitenAdvantages: option(z.boolean().default(usual), {
    description: 'normalise advantages to mean 0 and standard deviation 1 per rollout batch',
    group: update,
  }),
});

export type Checked = Parameters<typeof checkTraining>[0] & {
  value: {
    lora: boolean;
    adapter: string | null;
    maxLength: number | null;
    maxNewTokens: number;
    minNewTokens: number;
    beta: number;
    klIn?: KlPlace;
    klEstimator?: string;
    klCorrection?: boolean;
    klController?: string;
    numGenerations: number;
    gold: string | null;
    onAlarm: AlarmAction;
    evalData: string[] | null;
    minibatches?: number;
    clipRange?: number;
    clipRangeHigh?: number | null;
    dualClip?: number | null;
    entropyBonus?: number;
    referenceSyncSteps?: number | null;
    referenceMix?: number;
    rewardScale?: string;
  } & Partial<RewardShapeOptions> &
    Partial<RefreshOptions>;
};

/** The units that the optimizer steps on a rollout batch train on. */
export interface UpdateUnits {
  /** Maximum per rollout batch. */
  most: number;
  /** Name in messages, such as "answers". */
  name: string;
}

/**
 * For `.check(...)`: adds an issue for options of an online verb that contradict each other.
 * @param units what `--minibatches` divides (default: all answers)
 * @param how `needsLora`: the verb itself refuses full fine-tuning
 */
export function checkOnline(
  context: Checked,
  units: UpdateUnits = answersOf(context.value),
  { needsLora = false } = {},
): void {
  checkTraining(context);
  const { value, issues } = context;
  const add = (name: string, message: string): void => {
    issues.push({ code: 'custom', path: [name], message, input: value });
  };
  const lora = value.lora || value.adapter !== null;
  if (value.maxLength !== null && value.maxNewTokens >= value.maxLength) {
    add(
      'maxNewTokens',
      `expected fewer tokens than --max-length (${value.maxLength}), which includes the prompt, found ${value.maxNewTokens}`,
    );
  }
  if (value.gold !== null && value.evalData === null) {
    add('gold', 'scores held-out answers, and there are none. Pass --eval-data too');
  }
  if (value.gold === null && value.onAlarm !== 'warn') {
    add('onAlarm', 'has no effect without --gold: nothing tells whether the reward was gamed');
  }
  if (value.minNewTokens > value.maxNewTokens) {
    add(
      'minNewTokens',
      `expected at most --max-new-tokens (${value.maxNewTokens}), found ${value.minNewTokens}`,
    );
  }
  if (!lora && !needsLora && value.beta > 0) {
    add(
      'beta',
      'without LoRA, the reference would be a second model in memory, which is not supported. Remove --no-lora, or pass --beta 0 to train without a reference',
    );
  }
  checkReferenceSync(value, add);
  checkRewardShape(value, add);
  checkRefresh({ ...value, lora }, add);
  if (lora && value.beta === 0 && value.referenceSyncSteps != null) {
    add(
      'referenceSyncSteps',
      'with --beta 0 there is no reference to update. Pass a --beta above 0',
    );
  }
  if (!lora && (value.entropyBonus ?? 0) > 0) {
    add('entropyBonus', 'the entropy bonus needs LoRA. Remove --no-lora, or pass 0');
  }
  if (value.klController === 'adaptive' && value.beta === 0) {
    add(
      'klController',
      'the adaptive controller multiplies --beta, which is 0. Pass a --beta above 0',
    );
  }
  if (
    value.klIn === 'loss' &&
    value.klEstimator === 'k1' &&
    value.beta > 0 &&
    !value.klCorrection
  ) {
    add(
      'klEstimator',
      'k1 as a loss term has an expected gradient of zero. Pass k2 or k3, --kl-correction, or --kl-in reward',
    );
  }
  if (value.klCorrection && value.klIn === 'reward') {
    add('klCorrection', 'applies only to the KL in the loss. Pass --kl-in loss too');
  }
  if ((value.minibatches ?? 1) > units.most) {
    add(
      'minibatches',
      `${value.minibatches} minibatches, but a rollout batch has at most ${units.most} ${units.name}. Pass ${units.most} or fewer, or a larger --batch-size`,
    );
  }
  const high = value.clipRangeHigh ?? value.clipRange ?? 0;
  if (value.dualClip != null && value.dualClip <= 1 + high) {
    add('dualClip', `expected a bound above the clip range (${1 + high}), found ${value.dualClip}`);
  }
}

const answersOf = ({ batchSize, numGenerations }: Checked['value']): UpdateUnits => ({
  most: batchSize * numGenerations,
  name: 'answers',
});

/** Adds an issue if full fine-tuning is requested of a verb whose roles share one frozen base. */
export function checkRolesShareBase(
  { lora, adapter }: { lora: boolean; adapter: string | null },
  { verb, role = null }: { verb: string; role?: string | null },
  add: (name: string, message: string) => void,
): void {
  if (lora || adapter !== null) return;
  add(
    'lora',
    `keel ${verb} needs LoRA, since ${role === null ? 'policy and reference' : `policy, reference and ${role}`} are adapters of one frozen base. Remove --no-lora`,
  );
}
