import {
  type AuditHooks,
  checkAuditFiles,
  runAudit,
  writeAuditFiles,
} from '@keel/evaluate/auditing';
import { setThreads } from '@keel/torch';
import { exitCodes } from '../failure.ts';
import type { AuditVerbOptions } from '../options/audit.ts';
import { shellWord } from '../shell-word.ts';
import { complain } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { showAudit } from './audit-display.ts';
import { openVerbReward } from './open-verb-reward.ts';
import { ScoringBar } from './scoring-bar.ts';

/** `keel audit` of answers before and after. @returns the exit code */
export async function auditAnswerFiles(options: AuditVerbOptions): Promise<number> {
  const { files, run: folder, since, until, output, overwrite } = options;
  const { onBadRow, columns, wrapChat } = options;
  if (output !== null) checkAuditFiles(output, overwrite);
  if (options.threads !== null) setThreads(options.threads);
  using bar = new ScoringBar();
  using stopping = new StopSignals((name) => complain(`${name}: stopped. Nothing was written`));
  const hooks: AuditHooks = {
    signal: stopping.signal,
    onNotice: complain,
    onProgress: (what, done, total) => bar.show(what, done, total),
  };
  let skipped = 0;
  try {
    const audited = await runAudit(
      {
        source:
          files === null
            ? { kind: 'run', folder: folder!, steps: { since, until } }
            : { kind: 'files', before: files[0]!, after: files[1]! },
        ...{ reward: options.reward, gold: options.gold, unpaired: options.unpaired },
        reading: { onBadRow, columns, wrapChat, onSkipped: () => (skipped += 1) },
        openReward: (spec) => openVerbReward(spec, options),
      },
      hooks,
    );
    bar.stop();
    if (skipped > 0) complain(`${skipped} bad rows are skipped`);
    const command = ['npx', 'keel', ...process.argv.slice(2)].map(shellWord).join(' ');
    const written = output === null ? null : writeAuditFiles(output, audited, command);
    showAudit(audited, written, options.json);
    return audited.audit.verdict.alarm ? exitCodes.gateFailed : exitCodes.done;
  } catch (error) {
    bar.stop();
    if (stopping.signal.aborted && error === stopping.signal.reason) return stopping.exitCode;
    throw error;
  }
}
