import { StopSignals } from './training/stop-signals.ts';

/** Shows a job that samples or asks for a long time, and can be stopped. */
interface JobDisplay<Result> {
  say(text: string): void;
  close(): void;
  ended(result: Result): void;
}

/**
 * Runs a job until it ends or a signal stops it.
 * @param saving what happens at a signal: `saving the finished labels`
 * @returns the exit code
 */
export async function runJob<Result extends { interrupted: boolean }>(
  display: JobDisplay<Result>,
  { saving, dryRun }: { saving: string; dryRun: boolean },
  run: (hooks: { onNotice(text: string): void; signal: AbortSignal }) => Promise<Result>,
): Promise<number> {
  using stopping = new StopSignals((name) => display.say(`${name}: ${saving}`));
  try {
    const result = await run({
      onNotice: (text) => display.say(text),
      signal: stopping.signal,
    });
    display.close();
    if (dryRun) return 0;
    display.ended(result);
    return result.interrupted ? stopping.exitCode : 0;
  } finally {
    display.close();
  }
}
