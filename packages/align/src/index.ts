/**
 * Preference alignment: the methods, recipes and comparisons that a program needs. The rest is in
 * `@keel/align/config` (options, without LibTorch), `/data`, `/objectives` and `/rewards`; what
 * Keel's own tools use, without a promise to keep it, is in `/internal`.
 */

export {
  type AnsweringModel,
  type AnswerOptions,
  chat,
  complete,
  streamChat,
  streamComplete,
} from './answering/chat.ts';
export { type OpenedModel, type OpenModelOptions, openModel } from './answering/open-model.ts';
export {
  type AskHooks,
  type AskOptions,
  type AskPlan,
  type AskResult,
  type AskSummary,
  runAsk,
} from './asking/ask.ts';
export type { PolicyMargin, PolicyOptions } from './asking/policy-options.ts';
export { openComparison } from './comparing/open-comparison.ts';
export { planComparison } from './comparing/plan-comparison.ts';
export { runComparison } from './comparing/run-comparison.ts';
export { ConfigError } from './config/config-error.ts';
export { DataError } from './data/data-error.ts';
export type { ExportChecks } from './exporting/evidence.ts';
export { exportModel } from './exporting/export-model.ts';
export type {
  ExportEvent,
  ExportForm,
  ExportOptions,
  ExportResult,
} from './exporting/export-options.ts';
export type {
  LabelHooks,
  LabelOptions,
  LabelPlan,
  LabelProgress,
  LabelResult,
  LabelSummary,
} from './feedback/label-options.ts';
export { checkConstitution } from './feedback/read-constitution.ts';
export type {
  ReviseHooks,
  ReviseOptions,
  RevisePlan,
  ReviseProgress,
  ReviseResult,
} from './feedback/revise-options.ts';
export type { RevisionSummary } from './feedback/revision-summary.ts';
export { runLabel } from './feedback/run-label.ts';
export { runRevise } from './feedback/run-revise.ts';
export {
  type AverageOptions,
  type AverageResult,
  averageModels,
} from './merging/average-adapters.ts';
export {
  type MergeDType,
  type MergeEvent,
  type MergeOptions,
  type MergeResult,
  mergeModel,
} from './merging/merge-model.ts';
export { type AlignUnpairedOptions, alignUnpaired } from './methods/answers/run-kto.ts';
export { type BestOfNResult, runBestOfN } from './methods/best-of-n/run-best-of-n.ts';
export { type TrainD2poOptions, trainD2po } from './methods/d2po/d2po.ts';
export { type AlignPairsOptions, alignPairs } from './methods/dpo/run-dpo.ts';
export { type TrainGrpoOptions, trainGrpo } from './methods/grpo/grpo.ts';
export { type TrainOnlineDpoOptions, trainOnlineDpo } from './methods/online-dpo/online-dpo.ts';
export { type TrainPpoOptions, trainPpo } from './methods/ppo/ppo.ts';
export { type TrainRaftOptions, trainRaft } from './methods/raft/raft.ts';
export { type TrainReinforceOptions, trainReinforce } from './methods/reinforce/reinforce.ts';
export { type TrainRemaxOptions, trainRemax } from './methods/remax/remax.ts';
export { type TrainRewardOptions, trainReward } from './methods/reward/run-reward.ts';
export { type TrainRlooOptions, trainRloo } from './methods/rloo/rloo.ts';
export { type FineTuneOptions, fineTune } from './methods/supervised/run-sft.ts';
export {
  definePaired,
  logRatioMargin,
  type PairedObjective,
  type PairedScores,
} from './objectives/paired.ts';
export type {
  JobHooks,
  JobOptions,
  JobResult,
  JobVerb,
  StageVerdict,
} from './recipes/job-verb.ts';
export { planRecipe } from './recipes/plan-recipe.ts';
export { readRecipe } from './recipes/read-recipe.ts';
export { runRecipe } from './recipes/run-recipe.ts';
export { StageError } from './recipes/stage-error.ts';
export { RewardError } from './rewards/reward.ts';
export type { NoticeEvent } from './training/run-data.ts';
export { RunFailedError } from './training/run-failed-error.ts';
export type { OpenSuites, SuiteMetric } from './training/run-suites.ts';
export type { RunHooks, RunResult } from './training/run-training.ts';
export type { TrainingEvent } from './training/training-event.ts';
export { NonFiniteLossError } from './training/training-task.ts';
