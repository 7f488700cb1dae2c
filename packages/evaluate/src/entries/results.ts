// @keel/evaluate/results: the files that judges, audits, ratings, labs and evaluations write, for
// programs that read them. Loads no model.
export { type AttacksFile, attacksFile } from '../result-files/attacks-file.ts';
export { type AuditFile, auditFile } from '../result-files/audit-file.ts';
export { type EvaluationFile, evaluationFile } from '../result-files/evaluation-file.ts';
export {
  type CheckFile,
  type ComparisonFile,
  checkFile,
  comparisonFile,
  judgingSettingsFile,
  type ScoresFile,
  scoresFile,
} from '../result-files/judging-file.ts';
export { type LabFile, labFile } from '../result-files/lab-file.ts';
export { type RatingsFile, ratingsFile } from '../result-files/ratings-file.ts';
