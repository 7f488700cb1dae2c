/**
 * Preference alignment: data, objectives, trainers, runs, evaluation. A whole file is named where
 * all that it exports is public.
 */

export { exactJson, plainNumbers } from '@keel/model/exact-json';
export { answerOpening } from './batching/answer-start.ts';
export { type MicroBatchLimit, splitMicroBatches } from './batching/micro-batches.ts';
export { packExamples } from './batching/pack-examples.ts';
export { packJudged } from './batching/pack-judged.ts';
export { type PackedPairs, packedTokens, packPairs, pairTokens } from './batching/pack-pairs.ts';
export { promptFault } from './batching/prompt-fault.ts';
export { openedPrompt, promptText } from './batching/prompt-text.ts';
export { defaultScoring, type ScoringRules } from './batching/scoring-rules.ts';
export { type TokenisedExample, tokeniseExample } from './batching/tokenise-example.ts';
export {
  type JudgedOptions,
  type TokenisedJudged,
  tokeniseJudged,
} from './batching/tokenise-judged.ts';
export {
  pairTokenising,
  type TokenisedAnswer,
  type TokenisedPair,
  type TokeniseOptions,
  tokenisePair,
} from './batching/tokenise-pair.ts';
export { tokenisePrompt } from './batching/tokenise-prompt.ts';
export { tokeniseRanking } from './batching/tokenise-ranking.ts';
export { tokeniseUnpaired } from './batching/tokenise-unpaired.ts';
export { unknownToken } from './batching/unknown-token.ts';
export type { CompareEntry, Comparison } from './comparing/comparison.ts';
export { findings } from './comparing/comparison-findings.ts';
export type { ComparisonResults } from './comparing/comparison-results.ts';
export {
  cellOf as comparisonCell,
  columnsOf,
  formatMetric,
  formatSummary,
  markdownTable,
  rowsOf,
} from './comparing/comparison-table.ts';
export type { MeasuringEstimate } from './comparing/estimate-measuring.ts';
export type { Measured } from './comparing/measured.ts';
export { type OpenComparisonOptions, openComparison } from './comparing/open-comparison.ts';
export { type ComparisonPlan, planComparison } from './comparing/plan-comparison.ts';
export * from './comparing/run-comparison.ts';
export type { EntryNumbers, Group, Metric, Summary } from './comparing/summarise.ts';
export { type CompareOptions, compareDefinition } from './config/compare-options.ts';
export { ConfigError } from './config/config-error.ts';
export { optionsJsonSchema } from './config/json-schema.ts';
export { nearest } from './config/nearest.ts';
export {
  defineOptions,
  type OptionDescriptor,
  type OptionsDefinition,
  option,
} from './config/options.ts';
export { resolveOptions } from './config/resolve-options.ts';
export {
  dateNotice,
  type TemplateOptions,
  templateSettings,
} from './config/template-options.ts';
export { DataError, type Place, placeName } from './data/data-error.ts';
export { describeRows, rowsSummary } from './data/describe-rows.ts';
export { isTrained } from './data/message-fields.ts';
export { type Content, isChat, type Message, textOf } from './data/messages.ts';
export { openEither, openOneOf, type SourceOf } from './data/open-either.ts';
export { openRows, type RowSource } from './data/open-rows.ts';
export { parseRow } from './data/parse-row.ts';
export { type Rendering, renderingColumns } from './data/rendering.ts';
export { RowFaults, tokenisedAt } from './data/row-faults.ts';
export {
  type CompletionRow,
  type JudgedRow,
  type PreferenceRow,
  type PromptRow,
  type RankingRow,
  type Row,
  type RowKind,
  type RowOf,
  rowKinds,
  type SamplesRow,
  type SupervisedRow,
} from './data/rows.ts';
export { OrderedSampler, type SamplerState, shuffledOrder } from './data/shuffle.ts';
export { trainingFault } from './data/training-fault.ts';
export * from './evaluation/calibration.ts';
export { type Correlation, pearson, spearman } from './evaluation/correlation.ts';
export { mcnemarTest, signTest } from './evaluation/exact-tests.ts';
export {
  type BootstrapOptions,
  bootstrapInterval,
  bootstrapMeanInterval,
  type Interval,
  pairedDifferenceInterval,
  wilsonInterval,
} from './evaluation/intervals.ts';
export * from './evaluation/length-buckets.ts';
export { lengthOnlyAccuracy } from './evaluation/length-classifier.ts';
export * from './evaluation/pass-at-k.ts';
export { type Proportion, proportionOf } from './evaluation/proportion.ts';
export { resamplingRandom } from './evaluation/resampling-random.ts';
export * from './evaluation/reward-findings.ts';
export * from './machine/bench-machine.ts';
export { type KeptPeak, keptPeak, machinePeak } from './machine/kept-peak.ts';
export {
  type MatmulPeak,
  type MatmulPeakOptions,
  measureMatmulPeak,
} from './machine/matmul-peak.ts';
export { type MemoryBandwidth, measureMemoryBandwidth } from './machine/memory-bandwidth.ts';
export { type KtoOptions, ktoDefinition } from './methods/answers/kto-options.ts';
export { type AlignUnpairedOptions, alignUnpaired, runKto } from './methods/answers/run-kto.ts';
export * from './methods/best-of-n/best-of-n-options.ts';
export { type BestOfNResult, runBestOfN } from './methods/best-of-n/run-best-of-n.ts';
export type { BestOfK, BestOfNSummary } from './methods/best-of-n/summary.ts';
export { type D2poOptions, d2poDefinition } from './methods/d2po/d2po-options.ts';
export { type GrpoOptions, grpoDefinition } from './methods/grpo/grpo-options.ts';
export {
  type HeldOutChange,
  type RewardRise,
  readHeldOutChange,
  rewardRise,
} from './methods/online/held-out-change.ts';
export { AdaptiveKlController, FixedKlController } from './methods/online/kl-controller.ts';
export {
  runD2po,
  runGrpo,
  runOnlineDpo,
  runPpo,
  runRaft,
  runReinforce,
  runRemax,
  runRloo,
  type TrainD2poOptions,
  type TrainGrpoOptions,
  type TrainOnlineDpoOptions,
  type TrainPpoOptions,
  type TrainRaftOptions,
  type TrainReinforceOptions,
  type TrainRemaxOptions,
  type TrainRlooOptions,
  trainD2po,
  trainGrpo,
  trainOnlineDpo,
  trainPpo,
  trainRaft,
  trainReinforce,
  trainRemax,
  trainRloo,
} from './methods/online/run-online.ts';
export { RunningBaseline, type RunningBaselineState } from './methods/online/running-baseline.ts';
export { RunningRewardScale } from './methods/online/running-reward-scale.ts';
export {
  type OnlineDpoOptions,
  onlineDpoDefinition,
} from './methods/online-dpo/online-dpo-options.ts';
export { type DpoOptions, defineDpoOptions } from './methods/pairs/dpo-options.ts';
export * from './methods/pairs/run-dpo.ts';
export { type PpoOptions, ppoDefinition } from './methods/ppo/ppo-options.ts';
export { type RaftOptions, raftDefinition } from './methods/raft/raft-options.ts';
export {
  type ReinforceOptions,
  reinforceDefinition,
} from './methods/reinforce/reinforce-options.ts';
export { type RemaxOptions, remaxDefinition } from './methods/remax/remax-options.ts';
export { type RewardOptions, rewardDefinition } from './methods/reward/reward-options.ts';
export { runReward, type TrainRewardOptions, trainReward } from './methods/reward/run-reward.ts';
export { type RlooOptions, rlooDefinition } from './methods/rloo/rloo-options.ts';
export { type FineTuneOptions, fineTune, runSft } from './methods/supervised/run-sft.ts';
export { type SftOptions, sftDefinition } from './methods/supervised/sft-options.ts';
export { type AllPairsOptions, allPairs } from './objectives/all-pairs.ts';
export * from './objectives/bradley-terry.ts';
export { completeOptions, type WeightedPart, weightedObjective } from './objectives/mixture.ts';
export { bestOfNKl, expectedBestOfN } from './objectives/online/best-of-n.ts';
export { boundedExp } from './objectives/online/bounded-exp.ts';
export * from './objectives/online/clipped-surrogate.ts';
export * from './objectives/online/completion-end.ts';
export { entropyBonus, tokenEntropy } from './objectives/online/entropy.ts';
export * from './objectives/online/gae.ts';
export * from './objectives/online/gold-labels.ts';
export { greedyBaselineAdvantages } from './objectives/online/greedy-baseline.ts';
export * from './objectives/online/group-advantages.ts';
export * from './objectives/online/importance-ratio.ts';
export { type KeepRule, keptAnswers } from './objectives/online/kept-answers.ts';
export * from './objectives/online/kl-estimators.ts';
export * from './objectives/online/loss-reductions.ts';
export * from './objectives/online/policy-drift.ts';
export * from './objectives/online/preference-pairs.ts';
export { batchBaselineAdvantages, reinforceLoss } from './objectives/online/reinforce.ts';
export { constantLike, type Numbers, RolloutLayout } from './objectives/online/rollout.ts';
export * from './objectives/online/token-rewards.ts';
export { explainedVariance, valueLoss } from './objectives/online/value-loss.ts';
export { type WhiteningOptions, whiten } from './objectives/online/whitening.ts';
export {
  definePaired,
  type ExtraScores,
  logRatioMargin,
  objectiveOption,
  type PairedObjective,
  type PairedOptions,
  type PairedScores,
} from './objectives/paired.ts';
export { plackettLuce } from './objectives/plackett-luce.ts';
export { plackettLuceDpo, type RankedScores } from './objectives/plackett-luce-dpo.ts';
export { processReward } from './objectives/process-reward.ts';
export { pairedObjective, pairedObjectiveNames } from './objectives/registry.ts';
export type { UnpairedObjective, UnpairedOptions, UnpairedScores } from './objectives/unpaired.ts';
export { unpairedObjective, unpairedObjectiveNames } from './objectives/unpaired-registry.ts';
export type { OperatorTime, PhaseTime, ProfileSummary } from './profiling/profile-summary.ts';
export { profileTable } from './profiling/profile-table.ts';
export type { WrittenProfile } from './profiling/step-profiler.ts';
export { EXPECTED_SHARE, type StageEstimate } from './recipes/estimate-stage.ts';
export * from './recipes/plan-recipe.ts';
export { type ReadRecipeOptions, readRecipe } from './recipes/read-recipe.ts';
export { type Recipe, type RecipeStage, stageFolder } from './recipes/recipe.ts';
export {
  type RecipeEvent,
  type RecipeHooks,
  type RecipeResult,
  runRecipe,
} from './recipes/run-recipe.ts';
export { StageError } from './recipes/stage-error.ts';
export type { StageState } from './recipes/stage-state.ts';
export {
  type StageResult,
  type StageVerb,
  stageVerbNames,
  stageVerbs,
} from './recipes/stage-verbs.ts';
export { MovingReference, type MovingReferenceOptions } from './reference/moving-reference.ts';
export { type PairLogprobs, scorePairs } from './reference/score-pairs.ts';
export { SharedReferences } from './reference/shared-references.ts';
export { scoreChecked } from './rewards/checked-outcomes.ts';
export { type CodeSpec, codeReward } from './rewards/code-reward.ts';
export * from './rewards/composite-reward.ts';
export type { CallLimits } from './rewards/each-input.ts';
export * from './rewards/ensemble.ts';
export * from './rewards/function-reward.ts';
export { type Judge, judgeReward } from './rewards/judge.ts';
export { lengthReward } from './rewards/length-reward.ts';
export { modelJudge } from './rewards/model-judge.ts';
export { modelReward } from './rewards/model-reward.ts';
export * from './rewards/normalisation.ts';
export { type OpenRewardOptions, openComposition, openReward } from './rewards/open-reward.ts';
export { parseRewardSpec, readRewardSpec } from './rewards/read-reward-spec.ts';
export { regexReward } from './rewards/regex-reward.ts';
export * from './rewards/reward.ts';
export { RewardConstraint } from './rewards/reward-constraint.ts';
export {
  type OpenRewardModelOptions,
  RewardModel,
  type RewardRow,
  type RewardScore,
} from './rewards/reward-model.ts';
export type { ComponentSpec, CompositionSpec } from './rewards/reward-spec.ts';
export { RunningMoments, type RunningMomentsState } from './rewards/running-moments.ts';
export { isolations, NoIsolationError } from './rewards/sandbox/find-isolation.ts';
export { type AttackOutcome, runAttacks } from './rewards/sandbox/run-attacks.ts';
export { type ProgramRun, runProgram } from './rewards/sandbox/run-program.ts';
export { runTests, type TestsRun, type TestTask } from './rewards/sandbox/run-tests.ts';
export { Sandbox, type SandboxOptions } from './rewards/sandbox/sandbox.ts';
export { MetricsLog, type MetricsRow } from './runs/metrics.ts';
export * from './runs/progress.ts';
export { RateMeter } from './runs/rate-meter.ts';
export type { ReportData } from './runs/report/report-data.ts';
export { writeReport } from './runs/report/write-report.ts';
export { readRewardEvaluation, saveRewardEvaluation } from './runs/reward-evaluation.ts';
export { RunFolder } from './runs/run-folder.ts';
export { plainSamples, type ShownSample, samplesTable } from './runs/samples-table.ts';
export { ReadAhead } from './tokenising/read-ahead.ts';
export { RowTokeniser, type RowTokeniserOptions } from './tokenising/row-tokeniser.ts';
export type { NamedTokenise, Outcome } from './tokenising/tokenise-rows.ts';
export { RunFailedError } from './training/run-failed-error.ts';
export type { RunHooks, RunResult, SharedParts } from './training/run-training.ts';
export type { TrainingEvent } from './training/training-loop.ts';
export { type Metrics, NonFiniteLossError } from './training/training-task.ts';
