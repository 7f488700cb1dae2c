// @keel/align/rewards: rewards of every kind, their specifications, and the sandbox for code.

export { wholeMessage } from '../data/message-text.ts';
export { scoreChecked } from '../rewards/checked-outcomes.ts';
export { type CodeSpec, codeReward } from '../rewards/code-reward.ts';
export {
  CompositeReward,
  type RewardComponent,
} from '../rewards/composite-reward.ts';
export type { CallLimits } from '../rewards/each-input.ts';
export {
  combineEnsemble,
  type EnsembleRule,
  ensembleDeviation,
  ensembleRules,
} from '../rewards/ensemble.ts';
export {
  checkExpression,
  expressionName,
  expressionShape,
  globalFlags,
  withinPatience,
} from '../rewards/expression.ts';
export { batchedReward, functionReward, loadFunctionReward } from '../rewards/function-reward.ts';
export { exportedFunction, importModule } from '../rewards/import-module.ts';
export { type Judge, judgeReward } from '../rewards/judge.ts';
export { lengthReward } from '../rewards/length-reward.ts';
export { modelJudge } from '../rewards/model-judge.ts';
export { modelReward } from '../rewards/model-reward.ts';
export { placedText } from '../rewards/module-fault.ts';
export {
  measureNormalisation,
  normaliseRewards,
  parseNormalisation,
  type RewardNormalisation,
  rewardNormalisationSchema,
  serialiseNormalisation,
} from '../rewards/normalisation.ts';
export {
  type OpenRewardOptions,
  openComposition,
  openReward,
  readsColumns,
  readsPromptsOnly,
  scoresLogOdds,
} from '../rewards/open-reward.ts';
export { parseRewardSpec, readRewardSpec } from '../rewards/read-reward-spec.ts';
export { regexReward } from '../rewards/regex-reward.ts';
export {
  type Reward,
  RewardError,
  type RewardInput,
  type RewardOutcome,
  spokenText,
  UnreadableInputError,
} from '../rewards/reward.ts';
export { RewardConstraint } from '../rewards/reward-constraint.ts';
export { rewardFiles } from '../rewards/reward-files.ts';
export {
  type OpenRewardModelOptions,
  RewardModel,
  type RewardScore,
} from '../rewards/reward-model.ts';
export type { RewardRow } from '../rewards/reward-row.ts';
export type { ComponentSpec, CompositionSpec, RewardSpec } from '../rewards/reward-spec.ts';
export { RunningMoments, type RunningMomentsState } from '../rewards/running-moments.ts';
export { isolations, NoIsolationError } from '../rewards/sandbox/find-isolation.ts';
export { type AttackOutcome, runAttacks } from '../rewards/sandbox/run-attacks.ts';
export { type ProgramRun, runProgram } from '../rewards/sandbox/run-program.ts';
export { runTests, type TestsRun, type TestTask } from '../rewards/sandbox/run-tests.ts';
export { Sandbox, type SandboxOptions } from '../rewards/sandbox/sandbox.ts';
export type {
  BatchedRewardFunction,
  FunctionCall,
  FunctionInput,
  RewardFunction,
} from '../rewards/user-function.ts';
export { whileWaiting } from '../rewards/waiting.ts';
