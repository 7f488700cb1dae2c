// @keel/align/internal: what Keel's own command line and benchmarks use. May change at any time.

export { exactJson, plainNumbers } from '@keel/model/exact-json';
export { answerOpening } from '../batching/answer-start.ts';
export { lostParts } from '../batching/lost-text.ts';
export { type MicroBatchLimit, splitMicroBatches } from '../batching/micro-batches.ts';
export { packExamples } from '../batching/pack-examples.ts';
export { packJudged } from '../batching/pack-judged.ts';
export { type PackedPairs, packedTokens, packPairs, pairTokens } from '../batching/pack-pairs.ts';
export { promptFault } from '../batching/prompt-fault.ts';
export { openedPrompt, promptText } from '../batching/prompt-text.ts';
export { defaultScoring, type ScoringRules } from '../batching/scoring-rules.ts';
export { type TokenisedExample, tokeniseExample } from '../batching/tokenise-example.ts';
export {
  type JudgedOptions,
  type TokenisedJudged,
  tokeniseJudged,
} from '../batching/tokenise-judged.ts';
export {
  pairTokenising,
  type TokenisedAnswer,
  type TokenisedPair,
  type TokeniseOptions,
  tokenisePair,
} from '../batching/tokenise-pair.ts';
export { tokenisePrompt } from '../batching/tokenise-prompt.ts';
export { tokeniseRanking } from '../batching/tokenise-ranking.ts';
export { tokeniseUnpaired } from '../batching/tokenise-unpaired.ts';
export { unknownToken } from '../batching/unknown-token.ts';
export type { CompareEntry, Comparison } from '../comparing/comparison.ts';
export { findings } from '../comparing/comparison-findings.ts';
export type { ComparisonResults } from '../comparing/comparison-results.ts';
export {
  cellOf as comparisonCell,
  columnsOf,
  formatMetric,
  formatSummary,
  markdownTable,
  rowsOf,
} from '../comparing/comparison-table.ts';
export type { MeasuringEstimate } from '../comparing/estimate-measuring.ts';
export type { Measured } from '../comparing/measured.ts';
export type { OpenComparisonOptions } from '../comparing/open-comparison.ts';
export type { ComparisonPlan } from '../comparing/plan-comparison.ts';
export type { CompareEvent, CompareHooks, CompareResult } from '../comparing/run-comparison.ts';
export type { EntryNumbers, Group, Metric, Summary } from '../comparing/summarise.ts';
export {
  type Calibration,
  type CalibrationOptions,
  calibrationOf,
  expectedCalibrationError,
  type ReliabilityBin,
  reliabilityBins,
} from '../evaluation/calibration.ts';
export { type Correlation, pearson, spearman } from '../evaluation/correlation.ts';
export { mcnemarTest, signTest } from '../evaluation/exact-tests.ts';
export {
  type BootstrapOptions,
  bootstrapInterval,
  bootstrapMeanInterval,
  type Interval,
  pairedDifferenceInterval,
  wilsonInterval,
} from '../evaluation/intervals.ts';
export {
  accuracyOf,
  type LengthBucket,
  lengthBuckets,
  longerWins,
  rewardPrefersLonger,
  type ScoredPair,
} from '../evaluation/length-buckets.ts';
export { lengthOnlyAccuracy } from '../evaluation/length-classifier.ts';
export { type Attempts, type MeanPassAtK, meanPassAtK, passAtK } from '../evaluation/pass-at-k.ts';
export { type Proportion, proportionOf } from '../evaluation/proportion.ts';
export { resamplingRandom } from '../evaluation/resampling-random.ts';
export {
  type Lead,
  type LongerAnswers,
  type RewardFindings,
  rewardFindings,
} from '../evaluation/reward-findings.ts';
export {
  benchMachine,
  type MachineBench,
  type MatmulBench,
  type MemoryBench,
} from '../machine/bench-machine.ts';
export { type KeptPeak, keptPeak, machinePeak } from '../machine/kept-peak.ts';
export {
  type MatmulPeak,
  type MatmulPeakOptions,
  measureMatmulPeak,
} from '../machine/matmul-peak.ts';
export { type MemoryBandwidth, measureMemoryBandwidth } from '../machine/memory-bandwidth.ts';
export { runKto } from '../methods/answers/run-kto.ts';
export type { BestOfK, BestOfNSummary } from '../methods/best-of-n/summary.ts';
export { runD2po } from '../methods/d2po/d2po.ts';
export { runGrpo } from '../methods/grpo/grpo.ts';
export {
  type HeldOutChange,
  type RewardRise,
  readHeldOutChange,
  rewardRise,
} from '../methods/online/held-out-change.ts';
export { runOnlineDpo } from '../methods/online-dpo/online-dpo.ts';
export { type PairedRunHooks, runDpo } from '../methods/pairs/run-dpo.ts';
export { runPpo } from '../methods/ppo/ppo.ts';
export { runRaft } from '../methods/raft/raft.ts';
export { runReinforce } from '../methods/reinforce/reinforce.ts';
export {
  RunningBaseline,
  type RunningBaselineState,
} from '../methods/reinforce/running-baseline.ts';
export { runRemax } from '../methods/remax/remax.ts';
export { runReward } from '../methods/reward/run-reward.ts';
export { runRloo } from '../methods/rloo/rloo.ts';
export { runSft } from '../methods/supervised/run-sft.ts';
export * from '../objectives/simulation/claims.ts';
export { network } from '../objectives/simulation/feature-policies.ts';
export { uniforms } from '../objectives/simulation/small-world.ts';
export type { OperatorTime, PhaseTime, ProfileSummary } from '../profiling/profile-summary.ts';
export { profileTable } from '../profiling/profile-table.ts';
export type { WrittenProfile } from '../profiling/step-profiler.ts';
export { EXPECTED_SHARE, type StageEstimate } from '../recipes/estimate-stage.ts';
export type { PlannedStage, PlanOptions, RecipePlan } from '../recipes/plan-recipe.ts';
export type { ReadRecipeOptions } from '../recipes/read-recipe.ts';
export { type Recipe, type RecipeStage, stageFolder } from '../recipes/recipe.ts';
export type { RecipeEvent, RecipeHooks, RecipeResult } from '../recipes/run-recipe.ts';
export type { StageState } from '../recipes/stage-state.ts';
export {
  type StageResult,
  type StageVerb,
  stageVerbNames,
  stageVerbs,
} from '../recipes/stage-verbs.ts';
export { MovingReference, type MovingReferenceOptions } from '../reference/moving-reference.ts';
export { type PairLogprobs, scorePairs } from '../reference/score-pairs.ts';
export { SharedReferences } from '../reference/shared-references.ts';
export { AdaptiveKlController, FixedKlController } from '../rollouts/kl-controller.ts';
export { RunningRewardScale } from '../rollouts/running-reward-scale.ts';
export { MetricsLog, type MetricsRow } from '../runs/metrics.ts';
export {
  drawBar,
  formatCount,
  formatDuration,
  formatPerplexity,
  PlainPace,
  plainProgressLine,
  progressLine,
  stepsTook,
  type TrainingProgress,
} from '../runs/progress.ts';
export { RateMeter } from '../runs/rate-meter.ts';
export type { ReportData } from '../runs/report/report-data.ts';
export { writeReport } from '../runs/report/write-report.ts';
export { readRewardEvaluation, saveRewardEvaluation } from '../runs/reward-evaluation.ts';
export { RunFolder } from '../runs/run-folder.ts';
export { plainSamples, type ShownSample, samplesTable } from '../runs/samples-table.ts';
export { ReadAhead } from '../tokenising/read-ahead.ts';
export { RowTokeniser, type RowTokeniserOptions } from '../tokenising/row-tokeniser.ts';
export type { NamedTokenise, Outcome } from '../tokenising/tokenise-rows.ts';
export type { SharedParts } from '../training/run-training.ts';
export type { Metrics } from '../training/training-task.ts';
