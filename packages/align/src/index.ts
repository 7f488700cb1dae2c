/** Preference alignment: data, objectives, trainers, runs, evaluation. */
export { type MicroBatchLimit, splitMicroBatches } from './batching/micro-batches.ts';
export { packExamples } from './batching/pack-examples.ts';
export { type PackedPairs, packedTokens, packPairs, pairTokens } from './batching/pack-pairs.ts';
export { defaultScoring, type ScoringRules } from './batching/scoring-rules.ts';
export { type TokenisedExample, tokeniseExample } from './batching/tokenise-example.ts';
export {
  pairTokenising,
  type TokenisedAnswer,
  type TokenisedPair,
  type TokeniseOptions,
  tokenisePair,
} from './batching/tokenise-pair.ts';
export { ConfigError } from './config/config-error.ts';
export { type DpoOptions, defineDpoOptions } from './config/dpo-options.ts';
export { optionsJsonSchema } from './config/json-schema.ts';
export { type KtoOptions, ktoDefinition } from './config/kto-options.ts';
export { nearest } from './config/nearest.ts';
export {
  defineOptions,
  type OptionDescriptor,
  type OptionsDefinition,
  option,
} from './config/options.ts';
export { resolveOptions } from './config/resolve-options.ts';
export { type SftOptions, sftDefinition } from './config/sft-options.ts';
export { DataError, type Place, placeName } from './data/data-error.ts';
export { describeRows, rowsSummary } from './data/describe-rows.ts';
export { type Content, isChat, type Message } from './data/messages.ts';
export { openRows, type RowSource } from './data/open-rows.ts';
export { parseRow } from './data/parse-row.ts';
export {
  type CompletionRow,
  type PreferenceRow,
  type Row,
  type RowKind,
  type RowOf,
  rowKinds,
  type SupervisedRow,
} from './data/rows.ts';
export { OrderedSampler, type SamplerState, shuffledOrder } from './data/shuffle.ts';
export { mcnemarTest, signTest } from './evaluation/exact-tests.ts';
export {
  bootstrapMeanInterval,
  pairedDifferenceInterval,
  wilsonInterval,
} from './evaluation/intervals.ts';
export { lengthOnlyAccuracy } from './evaluation/length-classifier.ts';
export {
  benchMachine,
  type MachineBench,
  type MatmulBench,
  type MemoryBench,
} from './machine/bench-machine.ts';
export { type KeptPeak, keptPeak, machinePeak } from './machine/kept-peak.ts';
export {
  type MatmulPeak,
  type MatmulPeakOptions,
  measureMatmulPeak,
} from './machine/matmul-peak.ts';
export { type MemoryBandwidth, measureMemoryBandwidth } from './machine/memory-bandwidth.ts';
export { completeOptions, type WeightedPart, weightedObjective } from './objectives/mixture.ts';
export {
  definePaired,
  type ExtraScores,
  logRatioMargin,
  objectiveOption,
  type PairedObjective,
  type PairedOptions,
  type PairedScores,
} from './objectives/paired.ts';
export { plackettLuceDpo, type RankedScores } from './objectives/plackett-luce-dpo.ts';
export { pairedObjective, pairedObjectiveNames } from './objectives/registry.ts';
export type { UnpairedObjective, UnpairedOptions, UnpairedScores } from './objectives/unpaired.ts';
export { unpairedObjective, unpairedObjectiveNames } from './objectives/unpaired-registry.ts';
export type { OperatorTime, PhaseTime, ProfileSummary } from './profiling/profile-summary.ts';
export { profileTable } from './profiling/profile-table.ts';
export type { WrittenProfile } from './profiling/step-profiler.ts';
export { MetricsLog, type MetricsRow } from './runs/metrics.ts';
export {
  formatCount,
  formatDuration,
  formatPerplexity,
  PlainPace,
  plainProgressLine,
  progressLine,
  type TrainingProgress,
} from './runs/progress.ts';
export { RateMeter } from './runs/rate-meter.ts';
export type { ReportData } from './runs/report/report-data.ts';
export { writeReport } from './runs/report/write-report.ts';
export { RunFolder } from './runs/run-folder.ts';
export { ReadAhead } from './tokenising/read-ahead.ts';
export { RowTokeniser, type RowTokeniserOptions } from './tokenising/row-tokeniser.ts';
export type { NamedTokenise, Outcome } from './tokenising/tokenise-rows.ts';
export {
  type AlignPairsOptions,
  alignPairs,
  type PairedRunHooks,
  runDpo,
} from './trainers/run-dpo.ts';
export { type AlignUnpairedOptions, alignUnpaired, runKto } from './trainers/run-kto.ts';
export { type FineTuneOptions, fineTune, runSft } from './trainers/run-sft.ts';
export type { RunHooks, RunResult } from './trainers/run-training.ts';
export { type PairLogprobs, scorePairs } from './trainers/score-pairs.ts';
export type { TrainingEvent } from './trainers/training-loop.ts';
export { type Metrics, NonFiniteLossError } from './trainers/training-task.ts';
