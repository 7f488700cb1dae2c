import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readLaunch } from '@keel/torch/launch';
import { exitCodes } from '../failure.ts';
import { type OutputEnd, onOutputEnd } from '../output-end.ts';
import { complain } from '../terminal.ts';

const codes = {
  SIGHUP: exitCodes.hungUp,
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
  // What Slurm sends before a job's time is over (--signal=USR1@120).
  SIGUSR1: exitCodes.requeued,
} as const;
type StopSignal = keyof typeof codes;

/**
 * Turns the first SIGINT, SIGTERM, SIGHUP (a closed terminal) or SIGUSR1 into an abort, so that the
 * current step can finish; the second one ends the process at once. A stdout that can no longer be
 * written to aborts in the same way.
 */
export class StopSignals implements Disposable {
  readonly #controller = new AbortController();
  readonly #onFirst: (name: StopSignal) => void;
  readonly #stopListening: () => void;
  #received: StopSignal | null = null;
  #output: OutputEnd | null = null;

  constructor(onFirst: (name: StopSignal) => void) {
    this.#onFirst = onFirst;
    for (const name of Object.keys(codes)) process.on(name, this.#receive);
    this.#stopListening = onOutputEnd((end) => {
      this.#output = end;
      complain(`${end.reason}. Finishing the current step and saving it.`);
      this.#controller.abort();
    });
  }

  readonly #receive = (name: StopSignal): void => {
    if (this.#received !== null) process.exit(codes[name]);
    this.#received = name;
    this.#onFirst(name);
    this.#controller.abort();
  };

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether stdout can no longer be written to; further messages belong on stderr. */
  get outputEnded(): boolean {
    return this.#output !== null;
  }

  /** The exit code for the signal received, or for the way stdout ended; 0 if neither happened. */
  get exitCode(): number {
    if (this.#received !== null) return codes[this.#received];
    return this.#output?.exitCode ?? exitCodes.done;
  }

  /**
   * After SIGUSR1 in a Slurm job, and once everything is saved: the job starts again later.
   * @throws Error where Slurm refuses
   */
  async requeue(): Promise<void> {
    const { SLURM_JOB_ID: job } = process.env;
    if (this.#received !== 'SIGUSR1' || job === undefined) return;
    if ((readLaunch()?.rank ?? 0) > 0) return;
    try {
      await promisify(execFile)('scontrol', ['requeue', job]);
    } catch (cause) {
      throw new Error(
        `the run is saved, but Slurm did not requeue job ${job}. Start it again with --resume`,
        { cause },
      );
    }
    complain(`Slurm will start job ${job} again.`);
  }

  [Symbol.dispose](): void {
    for (const name of Object.keys(codes)) process.off(name, this.#receive);
    this.#stopListening();
  }
}
