import type { AuditVerbOptions } from '../options/audit.ts';

export async function run(options: AuditVerbOptions): Promise<number> {
  if (options.files !== null || options.run !== null) {
    const { auditAnswerFiles } = await import('../auditing/audit-answer-files.ts');
    return auditAnswerFiles(options);
  }
  const { attackVerbReward } = await import('../auditing/attack-verb-reward.ts');
  return attackVerbReward(options);
}
