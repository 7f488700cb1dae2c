// The folder of --output: audit.json and report.html.
import { join } from 'node:path';
import { refuseExisting } from '@keel/align/internal';
import { makeFolder } from '@keel/model';
import { writeJson } from '../../judging/files/snake-json.ts';
import type { Audited } from '../audit/audit-options.ts';
import { auditJson } from './audit-json.ts';
import { writeAuditReport } from './audit-report.ts';

export type AuditFiles = Readonly<Record<'json' | 'report', string>>;

const filesOf = (folder: string): AuditFiles => ({
  json: join(folder, 'audit.json'),
  report: join(folder, 'report.html'),
});

/** @throws ConfigError for files that exist, unless they may be overwritten */
export const checkAuditFiles = (folder: string, overwrite: boolean): void =>
  refuseExisting(Object.values(filesOf(folder)), overwrite);

/** @param command that made the audit, for the report */
export function writeAuditFiles(folder: string, audited: Audited, command: string): AuditFiles {
  const files = filesOf(folder);
  makeFolder(folder);
  writeJson(files.json, auditJson(audited));
  writeAuditReport(files.report, audited, command);
  return files;
}
