import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  attackReward,
  checkAttackFiles,
  readRealAnswers,
  writeAttackFiles,
} from '@keel/evaluate/auditing';
import { setThreads } from '@keel/torch';
import { exitCodes } from '../failure.ts';
import type { AuditVerbOptions } from '../options/audit.ts';
import { shellWord } from '../shell-word.ts';
import { complain } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { showAttack } from './attack-display.ts';
import { openVerbReward } from './open-verb-reward.ts';
import { ScoringBar } from './scoring-bar.ts';

/** Rows to attack at most, by default. */
const LIMIT = 64;

/** Pairs that come with a clone; an installed package has no examples. */
const bundled = join(import.meta.dirname, '../../../../examples/data/concise-held-out.jsonl');

/** `keel audit --reward`: attacks a reward. @returns the exit code */
export async function attackVerbReward(options: AuditVerbOptions): Promise<number> {
  const { output, overwrite, onBadRow, columns, wrapChat, limit } = options;
  const data = options.data ?? bundledRows();
  if (output !== null) checkAttackFiles(output, overwrite);
  if (options.threads !== null) setThreads(options.threads);
  using bar = new ScoringBar();
  using stopping = new StopSignals((name) => complain(`${name}: stopped. Nothing was written`));
  try {
    const rows = await readRealAnswers({
      ...{ data, onBadRow, columns, wrapChat, limit: limit ?? LIMIT },
      onSkipped: (count) => complain(`${count} bad rows are skipped`),
    });
    await using reward = await openVerbReward(options.reward!, options);
    const found = await attackReward(reward, rows, {
      ...(options.attacks && { names: options.attacks }),
      signal: stopping.signal,
      onProgress: (done, total) => bar.show('attacks', done, total),
    });
    bar.stop();
    const command = ['npx', 'keel', ...process.argv.slice(2)].map(shellWord).join(' ');
    const written = output === null ? null : writeAttackFiles(output, found, command);
    showAttack(found, written, options.json);
    return found.won ? exitCodes.gateFailed : exitCodes.done;
  } catch (error) {
    bar.stop();
    if (stopping.signal.aborted && error === stopping.signal.reason) return stopping.exitCode;
    throw error;
  }
}

/** @throws Error in an installed package */
function bundledRows(): string[] {
  if (existsSync(bundled)) return [bundled];
  throw new Error(
    '--data: this installation has no bundled rows. Pass rows with real answers, such as pairs',
  );
}
