// @keel/evaluate/auditing: whether a reward was gamed, and whether it can be.

export {
  type AttackResult,
  attackReward,
  type RewardAttack,
} from '../hacking/attacks/attack-reward.ts';
export { readRealAnswers } from '../hacking/attacks/read-real-answers.ts';
export type {
  Audited,
  AuditHooks,
  AuditOptions,
  AuditSource,
} from '../hacking/audit/audit-options.ts';
export { runAudit } from '../hacking/audit/run-audit.ts';
export { checkAttackFiles, writeAttackFiles } from '../hacking/report/attack-files.ts';
export {
  attackJson,
  attackSentences,
  attackTable,
  attackTitle,
} from '../hacking/report/attack-text.ts';
export { checkAuditFiles, writeAuditFiles } from '../hacking/report/audit-files.ts';
export { auditJson } from '../hacking/report/audit-json.ts';
export { changeTable, explainedTable, type Table } from '../hacking/report/audit-lines.ts';
export { verdictSentences, verdictTitle } from '../hacking/report/verdict-text.ts';
