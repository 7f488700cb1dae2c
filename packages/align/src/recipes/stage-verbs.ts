// The verbs that a recipe's stages may use. Imports only options: help and schemas do not load
// LibTorch.

import type { OptionsDefinition } from '../config/options.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import { ktoDefinition } from '../methods/answers/kto-options.ts';
import { d2poDefinition } from '../methods/d2po/d2po-options.ts';
import { grpoDefinition } from '../methods/grpo/grpo-options.ts';
import { onlineDpoDefinition } from '../methods/online-dpo/online-dpo-options.ts';
import { defineDpoOptions } from '../methods/pairs/dpo-options.ts';
import { ppoDefinition } from '../methods/ppo/ppo-options.ts';
import { raftDefinition } from '../methods/raft/raft-options.ts';
import { reinforceDefinition } from '../methods/reinforce/reinforce-options.ts';
import { remaxDefinition } from '../methods/remax/remax-options.ts';
import { rewardDefinition } from '../methods/reward/reward-options.ts';
import { rlooDefinition } from '../methods/rloo/rloo-options.ts';
import type { PretrainingOptions } from '../methods/supervised/pretraining-options.ts';
import { sftDefinition } from '../methods/supervised/sft-options.ts';
import { rankedObjectiveNames } from '../objectives/ranked-names.ts';
import { pairedObjective, pairedObjectiveNames } from '../objectives/registry.ts';
import type { RunHooks, RunResult } from '../training/run-training.ts';

/** The kind of a stage's result, for later stages. */
export type StageResult = 'language model' | 'reward model';

/** Kinds of rows whose work can be estimated (measure-rows.ts). */
export type MeasuredRows =
  | 'supervised'
  | 'judged'
  | 'preference'
  | 'rankings'
  | 'ranking pairs'
  | 'unpaired'
  | 'prompt';

export interface OtherPasses {
  /** Once per row: the result is cached. */
  once?: number;
  /** Each time the row is used. */
  always?: number;
  /** Trained passes (default: 1). */
  trained?: number;
}

/** Rows of other files in every optimiser step. */
export interface MixedRows {
  data: readonly string[];
  rows: MeasuredRows;
  /** Rows per step. */
  count: number;
}

/** A verb as a stage of a recipe. */
export interface StageVerb<Options extends TrainingOptions = TrainingOptions> {
  // biome-ignore lint/suspicious/noExplicitAny: each verb's schema has its own shape
  definition: OptionsDefinition<any, Options>;
  gives: StageResult;
  /** The kind of its rows, from which its work is estimated; a function if options decide. */
  rows: MeasuredRows | ((options: Options) => MeasuredRows);
  /** Forward passes of a row in addition to the trained one. */
  otherPasses?(options: Options): OtherPasses;
  /** Rows of each optimiser step in addition to those of `data`. */
  mixed?(options: Options): MixedRows | null;
  run(): Promise<(options: Options, hooks: RunHooks) => Promise<RunResult>>;
}

/** Checks that a verb's parts have the same options type. */
const stage = <Options extends TrainingOptions>(verb: StageVerb<Options>): StageVerb =>
  verb as unknown as StageVerb;

const ofRankings = ({ loss }: { loss: readonly string[] }): boolean =>
  loss.some((name) => rankedObjectiveNames.includes(name));

/**
 * Shared by verbs that sample. Sampling takes about as long as two passes, because weights are read
 * for a few tokens at a time; then come log-probabilities, the reward, and the reference if there
 * is one. A critic that is an adapter trains like the policy.
 */
const online = {
  gives: 'language model',
  rows: 'prompt',
  otherPasses: (options: {
    beta: number;
    numIterations?: number;
    critic?: 'adapter' | 'shared';
  }): OtherPasses => ({
    always: options.beta > 0 ? 5 : 4,
    trained: (options.numIterations ?? 1) * (options.critic === 'adapter' ? 2 : 1),
  }),
} as const;

/** Shared by verbs that mix in the likelihood of text. */
const mixing = {
  mixed: ({ pretrainingData: data, pretrainingBatchSize: count }: PretrainingOptions) =>
    data && { data, count, rows: 'supervised' as const },
};

/** By name. Add an entry here for a new training verb. */
export const stageVerbs: Readonly<Record<string, StageVerb>> = {
  sft: stage({
    definition: sftDefinition,
    gives: 'language model',
    rows: 'supervised',
    run: async () => (await import('../methods/supervised/run-sft.ts')).runSft,
  }),
  reward: stage({
    definition: rewardDefinition,
    gives: 'reward model',
    rows: 'judged',
    run: async () => (await import('../methods/reward/run-reward.ts')).runReward,
  }),
  dpo: stage({
    definition: defineDpoOptions([...pairedObjectiveNames, ...rankedObjectiveNames]),
    gives: 'language model',
    rows: (options) => {
      if (ofRankings(options)) return 'rankings';
      return options.rankingPairs === null ? 'preference' : 'ranking pairs';
    },
    otherPasses: (options) => {
      const { loss, referenceSyncSteps } = options;
      const needed =
        ofRankings(options) || loss.some((name) => pairedObjective(name).needsReference);
      const passes = needed ? 1 : 0;
      // Scores from before the reference moved are of no use.
      return referenceSyncSteps === null ? { once: passes } : { always: passes };
    },
    run: async () => (await import('../methods/pairs/run-dpo.ts')).runDpo,
  }),
  kto: stage({
    definition: ktoDefinition,
    gives: 'language model',
    rows: 'unpaired',
    // The reference's scores are cached; KTO's KL needs policy and reference on the mismatched
    // answer.
    otherPasses: ({ loss }) => ({ once: 1, always: loss === 'kto' ? 2 : 0 }),
    run: async () => (await import('../methods/answers/run-kto.ts')).runKto,
  }),
  ppo: stage({
    ...online,
    ...mixing,
    definition: ppoDefinition,
    run: async () => (await import('../methods/ppo/ppo.ts')).runPpo,
  }),
  grpo: stage({
    ...online,
    ...mixing,
    definition: grpoDefinition,
    run: async () => (await import('../methods/grpo/grpo.ts')).runGrpo,
  }),
  rloo: stage({
    ...online,
    ...mixing,
    definition: rlooDefinition,
    run: async () => (await import('../methods/rloo/rloo.ts')).runRloo,
  }),
  reinforce: stage({
    ...online,
    definition: reinforceDefinition,
    run: async () => (await import('../methods/reinforce/reinforce.ts')).runReinforce,
  }),
  remax: stage({
    ...online,
    definition: remaxDefinition,
    run: async () => (await import('../methods/remax/remax.ts')).runRemax,
  }),
  'online-dpo': stage({
    ...online,
    definition: onlineDpoDefinition,
    // There is always a reference.
    otherPasses: ({ numIterations }) => ({ always: 5, trained: numIterations }),
    run: async () => (await import('../methods/online-dpo/online-dpo.ts')).runOnlineDpo,
  }),
  d2po: stage({
    ...online,
    definition: d2poDefinition,
    // Answers are sampled and scored by policy and reference as for online DPO; the discriminator
    // scores them twice and is trained on pairs.
    otherPasses: ({ batchSize, numIterations, discriminatorEpochs: epochs, ...options }) => ({
      always: 7,
      trained: numIterations + (epochs * (options.discriminatorMemory ?? batchSize)) / batchSize,
    }),
    run: async () => (await import('../methods/d2po/d2po.ts')).runD2po,
  }),
  raft: stage({
    ...online,
    definition: raftDefinition,
    // Only the kept answers are trained on; all are sampled, judged, and scored by policy and
    // reference.
    otherPasses: ({ lora, keep, numGenerations, numIterations }) => ({
      always: lora ? 5 : 3,
      trained: (numIterations * (keep ?? numGenerations)) / numGenerations,
    }),
    run: async () => (await import('../methods/raft/raft.ts')).runRaft,
  }),
};

export const stageVerbNames: readonly string[] = Object.keys(stageVerbs);
