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
export {
  classifyRefusal,
  type RefusalLabel,
  type RefusalVerdict,
} from './refusals/classify-refusal.ts';
