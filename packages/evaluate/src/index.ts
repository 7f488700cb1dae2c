/** Judges, suites, ratings and gates: whether one model's answers are better than another's. */
export type { Judge } from '@keel/align/judges';
export {
  type Check,
  CheckError,
  type CheckedRow,
  type CheckOutcome,
  type Measure,
  type Target,
} from './checks/check.ts';
export { type OpenCheckOptions, openCheck } from './checks/open-check.ts';
export type { Difference } from './comparing/compare-entries.ts';
export type { TaskResult } from './comparing/task-result.ts';
export { type EvaluationEntry, entriesOf, runEntries } from './evaluating/entries.ts';
export {
  type EvaluationHooks,
  planEvaluation,
  runEvaluation,
} from './evaluating/evaluate.ts';
export type {
  EvaluatedEntry,
  Evaluation,
  EvaluationOptions,
  EvaluationPlan,
} from './evaluating/evaluation.ts';
export { checkSuites, openSuites } from './evaluating/open-suites.ts';
export type { EvaluationProgress } from './evaluating/run-evaluation.ts';
export { differenceText, gateText, numberText } from './evaluating/texts.ts';
export type { GateResult } from './gates/check-gates.ts';
export { checkJudge, openJudge } from './judges/open-judge.ts';
export { type AnsweringSide, runSides, sidesOf } from './judging/answers/answering-side.ts';
export type { SamplingSettings } from './judging/answers/sample-answers.ts';
export type { AskingProgress } from './judging/asking/ask-each.ts';
export { comparesByRating } from './judging/asking/compares-by-rating.ts';
export { checkLines } from './judging/check/check-lines.ts';
export type { CheckSummary } from './judging/check/check-summary.ts';
export type { JudgingMode } from './judging/files/output.ts';
export { snakeJson } from './judging/files/snake-json.ts';
export type {
  JudgingHooks,
  JudgingOptions,
  JudgingPlan,
  Outcome,
} from './judging/running/judging-options.ts';
export { recompute } from './judging/running/recompute.ts';
export { runCheck } from './judging/running/run-check.ts';
export { type ComparedSource, runComparison } from './judging/running/run-comparison.ts';
export { runRating } from './judging/running/run-rating.ts';
export { type RatingSummary, ratingLines } from './judging/summary/rating-summary.ts';
export { summaryLines } from './judging/summary/summary-lines.ts';
export type { Finding, JudgingSummary } from './judging/summary/summary-types.ts';
export type { VerdictRow } from './judging/verdicts/verdict-row.ts';
export {
  classifyRefusal,
  type RefusalLabel,
  type RefusalVerdict,
} from './refusals/classify-refusal.ts';
export { type Metric, metricId } from './tasks/metrics.ts';
