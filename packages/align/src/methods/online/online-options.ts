// What the verbs that sample from the policy have in common: rollouts, their reward, KL, and
// updates.
import { z } from 'zod';
import { option } from '../../config/options.ts';
import { checkTraining, trainingShape } from '../../config/training-options.ts';
import { checkReferenceSync, referenceSyncShape } from './reference-sync-options.ts';

const rollouts = 'Rollouts';
const reward = 'Reward';
const kl = 'Tie to the reference';
const update = 'Update';

/** Options of every online verb: those of training, the reward, how is sampled. */
export const onlineShape = {
  ...trainingShape,
  data: option(trainingShape.data, {
    description:
      'prompts: rows with a field "prompt", whose other fields the reward sees; JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    group: 'Model and data',
    value: 'path',
    commas: false,
  }),
  evalData: option(trainingShape.evalData, {
    description: 'held-out prompts, answered and judged at evaluations; none: no evaluation',
    group: 'Model and data',
    value: 'path',
    commas: false,
  }),
  reward: option(z.string().min(1), {
    description:
      'what judges answers: a spec (YAML, JSON), a folder of a reward model, module.ts, regex:/…/, length:…, code, judge:model; as for keel score',
    group: reward,
    value: 'reward',
  }),
  rewardConcurrency: option(z.number().int().min(1).default(16), {
    description:
      'calls of an asynchronous reward function that run side by side; changes speed, not rewards',
    group: reward,
    value: 'calls',
  }),
  rewardTimeout: option(z.number().positive().nullable().default(null), {
    description: 'seconds that a call of an asynchronous reward function may take; none: no limit',
    group: reward,
    value: 'seconds',
  }),
  unsafeCode: option(z.boolean().default(false), {
    description: 'run code of answers without a sandbox, with all rights of this user',
    group: reward,
    flagOnly: true,
  }),
  rewardClip: option(z.number().positive().nullable().default(null), {
    description: 'rewards are cut to plus and minus this; none: never',
    group: reward,
    value: 'bound',
  }),
  rewardScale: option(z.enum(['none', 'running']).default('none'), {
    description:
      'divide rewards by the standard deviation of all so far; their mean stays (before --reward-clip)',
    group: reward,
    value: 'how',
  }),
  missingEosPenalty: option(z.number().min(0).default(0), {
    description: 'what an answer costs that was cut off at --max-new-tokens',
    group: reward,
    value: 'reward',
  }),
  missingEos: option(z.enum(['subtract', 'replace']).default('subtract'), {
    description: "the penalty is subtracted from such an answer's reward, or replaces it",
    group: reward,
    value: 'how',
  }),
  batchSize: option(trainingShape.batchSize, {
    description: 'prompts of one rollout batch; each is answered --num-generations times',
    group: rollouts,
    value: 'prompts',
  }),
  microBatchSize: option(trainingShape.microBatchSize, {
    description:
      'prompts, with their answers, of one forward and backward pass; changes speed and memory, not the gradient',
    group: 'Batching and length',
    value: 'prompts',
  }),
  maxNewTokens: option(z.number().int().min(1).default(256), {
    description: 'longest answer, in tokens; what is longer is cut off without an end token',
    group: rollouts,
    value: 'tokens',
  }),
  minNewTokens: option(z.number().int().min(0).default(0), {
    description:
      'shortest answer, in tokens: before, no end token is drawn; above 0 the sampler and the log-probabilities that train differ',
    group: rollouts,
    value: 'tokens',
  }),
  temperature: option(z.number().positive().default(1), {
    description: 'of sampling; log-probabilities are those at this temperature',
    group: rollouts,
    value: 'number',
  }),
  topK: option(z.number().int().min(1).nullable().default(null), {
    description: 'sample from the so many likeliest tokens; none: from all',
    group: rollouts,
    value: 'tokens',
  }),
  topP: option(z.number().gt(0).max(1).default(1), {
    description:
      'sample from the likeliest tokens that make up this much probability; below 1 the sampler and the log-probabilities that train differ',
    group: rollouts,
    value: 'share',
  }),
  samplesInFlight: option(z.number().int().min(1).default(16), {
    description: 'answers that are sampled together; changes speed and memory',
    group: rollouts,
    value: 'answers',
  }),
  maxLength: option(trainingShape.maxLength, {
    description:
      'tokens of prompt and answer together; prompts that leave no room for --max-new-tokens are left out; none: as many as the model takes',
    group: 'Batching and length',
    value: 'tokens',
  }),
  seed: option(trainingShape.seed, {
    description: 'seed of the prompts’ order, of sampling, LoRA weights and dropout',
    group: 'Batching and length',
  }),
  epochs: option(trainingShape.epochs, {
    description: 'passes over the prompts; a fraction is a part of a pass',
    group: 'Optimisation',
  }),
  acceptChangedReward: option(z.boolean().default(false), {
    description:
      'with --resume: continue although the files of --reward have changed since the run began, and report it',
    group: 'This call',
    flagOnly: true,
  }),
  showSamples: option(z.number().int().min(1).nullable().default(null), {
    description:
      'show, of every rollout batch, so many of the best and of the worst answers with reward and KL; without a number: 3. All stand in samples.jsonl',
    group: 'This call',
    value: 'answers',
    flagOnly: true,
    bare: 3,
  }),
  lora: option(z.boolean().default(true), {
    description:
      'train the whole model; then there is no reference (--beta 0), and no role can share the base',
    group: 'LoRA',
  }),
};

/** Samples of a prompt. */
export const generations = (usual: number, { compared = false } = {}) => {
  const count = z.number().int().min(1);
  const enough = count.refine((answers) => answers > 1, {
    error: 'answers are compared with others to the same prompt, so each needs 2 at least',
  });
  return option((compared ? enough : count).default(usual), {
    description: compared
      ? 'answers sampled to each prompt, which are compared with each other'
      : 'answers sampled to each prompt',
    group: rollouts,
    value: 'answers',
  });
};

export const klPlaces = ['reward', 'loss'] as const;
export type KlPlace = (typeof klPlaces)[number];

/** The tie to the reference. */
export const klShape = (usual: {
  beta: number;
  place: KlPlace;
  estimator: 'k1' | 'k2' | 'k3';
}) => ({
  beta: option(z.number().min(0).default(usual.beta), {
    description:
      'coefficient of the KL to the reference (the model before training); 0: none is computed',
    group: kl,
  }),
  klIn: option(z.enum(klPlaces).default(usual.place), {
    description: 'KL is part of the reward, token by token, or a term of the loss',
    group: kl,
    value: 'where',
  }),
  klEstimator: option(z.enum(['k1', 'k2', 'k3']).default(usual.estimator), {
    description: 'of the KL of a token: log-ratio, half its square, or r - 1 - log r',
    group: kl,
    value: 'name',
  }),
  klCorrection: option(z.boolean().default(false), {
    description:
      'KL in the loss is multiplied by the importance ratio, gradient and all: unbiased also off-policy',
    group: kl,
  }),
  klController: option(z.enum(['fixed', 'adaptive']).default('fixed'), {
    description: '--beta stays, or is moved towards --kl-target after every batch',
    group: kl,
    value: 'how',
  }),
  klTarget: option(z.number().positive().default(6), {
    description: "KL of an answer in nats that the adaptive controller aims at; Ziegler et al.'s 6",
    group: kl,
    value: 'nats',
  }),
  klHorizon: option(z.number().positive().default(10_000), {
    description: 'answers over which the adaptive controller corrects the whole error',
    group: kl,
    value: 'answers',
  }),
  ...referenceSyncShape(kl),
});

/** Several optimiser steps on one rollout batch. */
export const epochsShape = (usual: { iterations: number }) => ({
  numIterations: option(z.number().int().min(1).default(usual.iterations), {
    description: 'epochs over each rollout batch',
    group: update,
  }),
  minibatches: option(z.number().int().min(1).default(1), {
    description:
      'optimizer steps that an epoch over a rollout batch is divided into; fewer where it has less to train on',
    group: update,
  }),
});

/** The same with clipped ratios. */
export const updateShape = (usual: { iterations: number }) => ({
  ...epochsShape(usual),
  clipRange: option(z.number().min(0).max(1).default(0.2), {
    description: 'ratios policy/old count as no less than 1 minus this',
    group: update,
    value: 'range',
  }),
  clipRangeHigh: option(z.number().min(0).nullable().default(null), {
    description: 'ratios count as no more than 1 plus this; none: --clip-range',
    group: update,
    value: 'range',
  }),
  dualClip: option(z.number().gt(1).nullable().default(null), {
    description: 'bound on the ratio for negative advantages; 3 is usual; none: no bound',
    group: update,
    value: 'ratio',
  }),
  targetKl: option(z.number().positive().nullable().default(null), {
    description:
      'when the KL from the policy that sampled exceeds 1.5 times this, the other steps on the batch are left out; none: never',
    group: update,
    value: 'nats',
  }),
});

export const entropyShape = {
  entropyBonus: option(z.number().min(0).default(0), {
    description: "weight of the policy's entropy, which is added to what is maximised",
    group: update,
    value: 'weight',
  }),
};

export const whitenAdvantages = (usual: boolean) => ({
  whitenAdvantages: option(z.boolean().default(usual), {
    description: usual
      ? 'leave advantages as they are; else they get mean 0 and deviation 1 over a rollout batch'
      : 'give advantages mean 0 and deviation 1 over a rollout batch',
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
    minibatches?: number;
    clipRange?: number;
    clipRangeHigh?: number | null;
    dualClip?: number | null;
    entropyBonus?: number;
    referenceSyncSteps?: number | null;
    referenceMix?: number;
  };
};

/** What optimiser steps on a rollout batch are made of. */
export interface UpdateUnits {
  /** Most of a rollout batch. */
  most: number;
  /** In words: "answers". */
  name: string;
}

/**
 * What no single option of an online verb can say of itself; for `.check(...)`.
 * @param units what `--minibatches` divides; all answers by default
 */
export function checkOnline(context: Checked, units: UpdateUnits = answersOf(context.value)): void {
  checkTraining(context);
  const { value, issues } = context;
  const add = (name: string, message: string): void => {
    issues.push({ code: 'custom', path: [name], message, input: value });
  };
  const lora = value.lora || value.adapter !== null;
  if (value.maxLength !== null && value.maxNewTokens >= value.maxLength) {
    add(
      'maxNewTokens',
      `${value.maxNewTokens} new tokens leave no room for a prompt within --max-length ${value.maxLength}`,
    );
  }
  if (value.minNewTokens > value.maxNewTokens) {
    add(
      'minNewTokens',
      `it is more than the ${value.maxNewTokens} of --max-new-tokens: give fewer`,
    );
  }
  if (!lora && value.beta > 0) {
    add(
      'beta',
      'without LoRA the reference would be a second model in memory, which is not supported: leave --no-lora out, or give --beta 0 (no tie to a reference)',
    );
  }
  checkReferenceSync(value, add);
  if (lora && value.beta === 0 && value.referenceSyncSteps != null) {
    add('referenceSyncSteps', 'with --beta 0 there is no reference to move: give a --beta above 0');
  }
  if (!lora && (value.entropyBonus ?? 0) > 0) {
    add('entropyBonus', 'the entropy bonus is for LoRA: leave --no-lora out, or give 0');
  }
  if (value.klController === 'adaptive' && value.beta === 0) {
    add('klController', 'adaptive multiplies --beta, which is 0: give a --beta above 0');
  }
  if (
    value.klIn === 'loss' &&
    value.klEstimator === 'k1' &&
    value.beta > 0 &&
    !value.klCorrection
  ) {
    add(
      'klEstimator',
      'k1 as a term of the loss has no gradient in expectation: give k2 or k3, --kl-correction, or --kl-in reward',
    );
  }
  if (value.klCorrection && value.klIn === 'reward') {
    add('klCorrection', 'it is for KL in the loss: give --kl-in loss too');
  }
  if ((value.minibatches ?? 1) > units.most) {
    add(
      'minibatches',
      `${value.minibatches} minibatches, but a rollout batch has at most ${units.most} ${units.name}. Pass ${units.most} or fewer, or a larger --batch-size`,
    );
  }
  const high = value.clipRangeHigh ?? value.clipRange ?? 0;
  if (value.dualClip != null && value.dualClip <= 1 + high) {
    add('dualClip', `it bounds ratios beyond the clip: give more than ${1 + high}`);
  }
}

const answersOf = ({ batchSize, numGenerations }: Checked['value']): UpdateUnits => ({
  most: batchSize * numGenerations,
  name: 'answers',
});

/** Adds an issue where a verb whose roles are adapters on one frozen base is to train the base. */
export function checkRolesShareBase(
  { lora, adapter }: { lora: boolean; adapter: string | null },
  { verb, role }: { verb: string; role: string },
  add: (name: string, message: string) => void,
): void {
  if (lora || adapter !== null) return;
  add(
    'lora',
    `policy, reference and ${role} are adapters on one frozen base: keel ${verb} trains with LoRA, leave --no-lora out`,
  );
}
