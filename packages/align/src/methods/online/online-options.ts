// Options of every verb that samples from the policy: rollouts and their reward.
import { z } from 'zod';
import { constraintShape } from '../../config/constraint-options.ts';
import { sampleShape } from '../../config/following-options.ts';
import { option, variant } from '../../config/options.ts';
import { trainingShape } from '../../config/training-options.ts';
import { KL_GROUP } from './kl-options.ts';
import { serverShape } from './rollout-server-options.ts';

const rollouts = 'Sampling';
const reward = 'Reward';

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
    group: KL_GROUP,
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
  ...constraintShape(rollouts),
  ...serverShape,
  samplesInFlight: option(z.number().int().min(1).default(16), {
    description:
      'answers sampled at the same time; with --rollouts, by each server; affects speed and memory',
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
