/** Judges, suites, ratings and gates: whether one model's answers are better than another's. */
export type { Judge } from '@keel/align/judges';
export { openJudge } from './judges/open-judge.ts';
export { type AnsweringSide, runSides, sidesOf } from './judging/answers/answering-side.ts';
export type { SamplingSettings } from './judging/answers/sample-answers.ts';
export type { AskingProgress } from './judging/asking/judge-pairs.ts';
export { checkLines } from './judging/check/check-lines.ts';
export type { CheckSummary } from './judging/check/check-summary.ts';
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
