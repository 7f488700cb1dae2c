// @keel/align/runs: what a program that watches runs reads in their folders. Does not load
// LibTorch.

export { type ComparisonResultsFile, comparisonResultsFile } from '../comparing/results-file.ts';
export {
  identityOf,
  identityRuns,
  ownIdentity,
  type ProcessIdentity,
} from '../files/process-identity.ts';
export type { Severity } from '../health/finding.ts';
export { type Health, HealthMonitor } from '../health/monitor.ts';
export { methodVerbs } from '../methods/verbs.ts';
export { readStageFile, type StageRecord } from '../recipes/stage-records.ts';
export { type AnswerLine, answersByStep } from '../runs/answers-log.ts';
export { listCheckpoints } from '../runs/checkpoints.ts';
export { maskedCrc32c } from '../runs/crc32c.ts';
export type { Environment } from '../runs/environment.ts';
export type { MetricsRow } from '../runs/metrics.ts';
export { replayHealth } from '../runs/replay-health.ts';
export { chartDefinitions } from '../runs/report/charts.ts';
export { type LockHolder, lockHolder } from '../runs/run-lock.ts';
export { type RunRecord, readRunRecord } from '../runs/run-record.ts';
export type { SampleLine } from '../runs/samples-log.ts';
