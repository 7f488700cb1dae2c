/** Judges, suites, ratings and gates: whether one model's answers are better than another's. */
export type { Judge } from '@keel/align/judges';
export { openJudge } from './judges/open-judge.ts';
