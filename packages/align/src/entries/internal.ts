// @keel/align/internal: what Keel's own command line and benchmarks use. May change at any time.

export { exactJson } from '@keel/model/exact-json';
export {
  type Attempts,
  bootstrapInterval,
  bootstrapMeanInterval,
  hitOf,
  lengthOnlyAccuracy,
  meanPassAtK,
  pairedDifferenceInterval,
  proportionOf,
  resamplingRandom,
  rewardFindings,
  spearman,
  wilsonInterval,
} from '@keel/statistics';
export { answerConstraint } from '../answering/answer-constraint.ts';
export {
  type PromptForm,
  promptTokens,
  turnPrompt,
  withSystem,
} from '../answering/prompt-tokens.ts';
export { type AnswerLogprob, answerLogprobs } from '../asking/answer-logprobs.ts';
export { answerOpening } from '../batching/answer-start.ts';
export { hiddenNotice, hiddenToken } from '../batching/hidden-token.ts';
export { lostParts } from '../batching/lost-text.ts';
export { splitMicroBatches } from '../batching/micro-batches.ts';
export { packExamples } from '../batching/pack-examples.ts';
export { packJudged } from '../batching/pack-judged.ts';
export { packedTokens, packPairs } from '../batching/pack-pairs.ts';
export { promptFault } from '../batching/prompt-fault.ts';
export { openedPrompt } from '../batching/prompt-text.ts';
export { defaultScoring } from '../batching/scoring-rules.ts';
export { tokeniseAnswers } from '../batching/tokenise-answers.ts';
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
  tokenisePair,
} from '../batching/tokenise-pair.ts';
export { tokenisePrompt } from '../batching/tokenise-prompt.ts';
export { tokeniseRanking } from '../batching/tokenise-ranking.ts';
export { unknownToken } from '../batching/unknown-token.ts';
export type { RunDataFacts } from '../checking/run-data-facts.ts';
export { summaryLines } from '../checking/summary-lines.ts';
export type { CompareEntry, Comparison } from '../comparing/comparison.ts';
export { findings } from '../comparing/comparison-findings.ts';
export type { ComparisonResults } from '../comparing/comparison-results.ts';
export { formatSummary, rowsOf, shownColumns } from '../comparing/comparison-table.ts';
export type { MeasuringEstimate } from '../comparing/estimate-measuring.ts';
export type { Measured } from '../comparing/measured.ts';
export type { ComparisonPlan } from '../comparing/plan-comparison.ts';
export type { CompareEvent, CompareResult } from '../comparing/run-comparison.ts';
export { formatSuite } from '../comparing/suite-numbers.ts';
export type { EntryNumbers } from '../comparing/summarise.ts';
export { listed } from '../config/listed.ts';
export { resolveEntries } from '../config/resolve-options.ts';
export { placeIn, readSpec, specFaults } from '../config/spec-file.ts';
export { describeWritten, isNull } from '../config/written.ts';
export {
  optionEntries,
  unknownKey,
  unknownName,
  type YamlEntry,
} from '../config/yaml-config.ts';
export { readYamlFile, type YamlFile, type YamlPair } from '../config/yaml-file.ts';
export { refuseExisting } from '../converting/refuse-existing.ts';
export { carriedColumns, droppedNotice } from '../data/carried-columns.ts';
export { inOrderOf, messagesSchema } from '../data/messages.ts';
export { type PlacedValue, ValueSource } from '../data/open-values.ts';
export type { Rendering } from '../data/rendering.ts';
export { withoutReasoning } from '../feedback/said-text.ts';
export { appendWhole, writeFully } from '../files/append-whole.ts';
export { fillFileAtomic, writeFileAtomic } from '../files/atomic-write.ts';
export { HealthMonitor } from '../health/monitor.ts';
export { questionKey } from '../judges/cache/question-key.ts';
export { benchMachine, type MachineBench } from '../machine/bench-machine.ts';
export { measureMatmulPeak } from '../machine/matmul-peak.ts';
export type { BestOfK, BestOfNSummary } from '../methods/best-of-n/summary.ts';
export {
  type HeldOutChange,
  readHeldOutChange,
  rewardRise,
} from '../methods/online/held-out-change.ts';
export { scorePairs } from '../methods/pairs/score-pairs.ts';
export * from '../objectives/simulation/claims.ts';
export { network } from '../objectives/simulation/feature-policies.ts';
export { uniforms } from '../objectives/simulation/small-world.ts';
export { profileTable } from '../profiling/profile-table.ts';
export { EXPECTED_SHARE } from '../recipes/estimate-stage.ts';
export { followTrainings } from '../recipes/follow-trainings.ts';
export type { PlannedStage, RecipePlan } from '../recipes/plan-recipe.ts';
export {
  finalFolder,
  isMeasuring,
  type Recipe,
  type RecipeStage,
  stageFolder,
} from '../recipes/recipe.ts';
export type { RecipeEvent, RecipeResult } from '../recipes/run-recipe.ts';
export { stageVerbs } from '../recipes/stage-verbs.ts';
export { AnswersLog } from '../runs/answers-log.ts';
export { answersTable, type ShownAnswer } from '../runs/answers-table.ts';
export { claimFolder } from '../runs/claim-folder.ts';
export { Journal } from '../runs/journal.ts';
export { MetricsLog, type MetricsRow } from '../runs/metrics.ts';
export {
  drawBar,
  formatBytes,
  formatCount,
  formatDuration,
  formatPerplexity,
  PlainPace,
  plainProgressLine,
  progressLine,
  stepsTook,
  type TrainingProgress,
  waitingText,
} from '../runs/progress.ts';
export { RateMeter } from '../runs/rate-meter.ts';
export { replayHealth } from '../runs/replay-health.ts';
export { formatNumber, formatShare, formatterOf } from '../runs/report/format.ts';
export { html, type Markup } from '../runs/report/markup.ts';
export { plotAxis, plotColours, spreadLabels } from '../runs/report/plot-axis.ts';
export { reliabilityDiagram } from '../runs/report/reliability-diagram.ts';
export type { ReportData } from '../runs/report/report-data.ts';
export { renderReport, writeReport } from '../runs/report/write-report.ts';
export type { SampleLine } from '../runs/samples-log.ts';
export { plainSamples, type ShownSample, samplesTable } from '../runs/samples-table.ts';
export { claimOutput, samplingIdentity } from '../runs/sampling-job.ts';
export { TensorBoardWriter } from '../runs/tensorboard.ts';
export { inShares, shareCount } from '../sharing/in-shares.ts';
export { conductTrainings, joinProcesses } from '../sharing/join-processes.ts';
export { thrownElsewhere } from '../sharing/shared-error.ts';
export { RowTokeniser } from '../tokenising/row-tokeniser.ts';
export type { NoticeEvent } from '../training/run-data.ts';
export { hashAdapter } from '../training/run-identity.ts';
export { type ModelFacts, modelFacts, type RunPlan } from '../training/run-plan.ts';
export { accuracyOf } from '../training/tied-pairs.ts';
