import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openComparison, planComparison, runComparison, StageError } from '@keel/align';
import type { CompareOptions } from '@keel/align/config';
import { CompareDisplay, compareCommand, compareWords } from '../comparing/compare-display.ts';
import { complain } from '../terminal.ts';
import { openSuitesLater } from '../training/open-suites.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { inRankZero } from '../training/together.ts';

export const run = (options: CompareOptions): Promise<number> =>
  inRankZero(options, () => runAll(options));

async function runAll(options: CompareOptions): Promise<number> {
  if (options.evalSuites !== null) {
    const { checkSuites } = await import('@keel/evaluate');
    checkSuites(options.evalSuites);
  }
  if (options.dryRun) return plan(options);
  const { overwrite } = options;
  const comparison = await openComparison(options);
  const resume = compareCommand(options);
  const display = new CompareDisplay(comparison, resume);
  using stop = new StopSignals((name) => {
    display.say(`${name}: finishing the current step. Press Ctrl-C again to quit now.`);
  });
  try {
    const onEvent = display.event.bind(display);
    const result = await runComparison(comparison, {
      ...{ onEvent, signal: stop.signal, overwrite },
      command: { verb: 'compare', words: compareWords(options) },
      openSuites: openSuitesLater,
    });
    display.close();
    display.ended(result);
    if (stop.outputEnded && result.interrupted !== null) complain(`Resume with:  ${resume}`);
    if (result.interrupted !== null) await stop.requeue();
    return result.interrupted === null ? 0 : stop.exitCode;
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const { message, cause } = error;
    throw new Error(
      `${message}\nFinished entries are kept. After fixing the problem, continue with:  ${resume}`,
      {
        cause,
      },
    );
  } finally {
    display.close();
  }
}

/** `--dry-run`: writes only temporary files. */
async function plan(options: CompareOptions): Promise<number> {
  const aside = mkdtempSync(join(tmpdir(), 'keel-compare-'));
  try {
    const comparison = await openComparison(options, { dataFolder: aside });
    const display = new CompareDisplay(comparison, compareCommand(options));
    const { overwrite } = options;
    display.plan(
      await planComparison(comparison, { overwrite, notice: (text) => display.say(text) }),
    );
    return 0;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}
