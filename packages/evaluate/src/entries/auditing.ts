// @keel/evaluate/auditing: whether a reward was gamed, and what an attack on it earns.

export type {
  Audited,
  AuditHooks,
  AuditOptions,
  AuditSource,
} from '../hacking/audit/audit-options.ts';
export { runAudit } from '../hacking/audit/run-audit.ts';
export { checkAuditFiles, writeAuditFiles } from '../hacking/report/audit-files.ts';
export { auditJson } from '../hacking/report/audit-json.ts';
export { changeTable, explainedTable, type Table } from '../hacking/report/audit-lines.ts';
export { verdictSentences, verdictTitle } from '../hacking/report/verdict-text.ts';
