// Profiles a few steps of a run: a trace of a whole run would take gigabytes.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type PhaseClock, type ProfileEvent, Profiler } from '@keel/torch';
import type { ProfileSteps } from '../config/profile-steps.ts';
import { writeFileAtomic } from '../files/atomic-write.ts';
import { writeChromeTrace } from './chrome-trace.ts';
import { type ProfileSummary, stepRange, summariseProfile } from './profile-summary.ts';

/** Maximum number of operators in a trace (the longest): a file of about 40 MB. */
const MOST_WRITTEN = 200_000;

/** A profile that was written. */
export interface WrittenProfile {
  /** The trace, in Chrome's format. */
  path: string;
  /** The summary as JSON, in the same folder. */
  summaryPath: string;
  summary: ProfileSummary;
  /** Operators that are counted in the summary but too short for the trace. */
  leftOut: number;
}

/** Profiles the requested steps; it must be notified of each step of the call. */
export class StepProfiler implements Disposable {
  readonly #path: string;
  readonly #steps: ProfileSteps;
  readonly #clock: PhaseClock;
  readonly #mostRecorded: number | undefined;
  readonly #mostWritten: number;
  readonly #done: number[] = [];
  #ordinal = 0;
  #events: ProfileEvent[] | null = null;
  #missed = 0;
  #written = false;

  /** @param steps counted from the call's first, which is 1 */
  constructor(
    path: string,
    steps: ProfileSteps,
    clock: PhaseClock,
    {
      mostRecorded,
      mostWritten = MOST_WRITTEN,
    }: { mostRecorded?: number; mostWritten?: number } = {},
  ) {
    this.#path = path;
    this.#steps = steps;
    this.#clock = clock;
    this.#mostRecorded = mostRecorded;
    this.#mostWritten = mostWritten;
  }

  /** @param step number of the step in the run */
  beginStep(step: number): void {
    this.#ordinal += 1;
    if (this.#ordinal === this.#steps.first) {
      this.#clock.profiler = new Profiler(
        this.#mostRecorded === undefined ? {} : { mostOperators: this.#mostRecorded },
      );
    }
    this.#clock.profiler?.range(stepRange(step));
  }

  endStep(step: number): void {
    if (this.#clock.profiler === null) return;
    this.#clock.profiler.endRange();
    this.#done.push(step);
  }

  /** Whether the last requested step has run. */
  get due(): boolean {
    return this.#clock.profiler !== null && this.#ordinal >= this.#steps.last;
  }

  /**
   * Writes trace and summary. @returns null if no step was profiled, or the profile is already
   * written
   */
  finish(): WrittenProfile | null {
    this.#collect();
    if (this.#events === null || this.#written) return null;
    this.#written = true;
    const summary = summariseProfile(this.#events, {
      steps: this.#done,
      missedOperators: this.#missed,
    });
    const path = this.#path;
    const summaryPath = path.replace(/(\.json)?$/, '-summary.json');
    mkdirSync(dirname(path), { recursive: true });
    const { steps } = summary;
    const written = longest(this.#events, this.#mostWritten);
    const leftOut = this.#events.length - written.length;
    writeChromeTrace(path, written, { steps, shortest_operators_left_out: leftOut });
    writeFileAtomic(summaryPath, `${JSON.stringify(summary, null, 2)}\n`);
    this.#events = [];
    return { path, summaryPath, summary, leftOut };
  }

  /** Nothing is written without `finish`. */
  [Symbol.dispose](): void {
    this.#collect();
  }

  #collect(): void {
    const { profiler } = this.#clock;
    if (profiler === null) return;
    this.#clock.profiler = null;
    this.#events = profiler.stop();
    this.#missed = profiler.missed;
  }
}

/** Drops the shortest operators, so that about `most` operators remain. */
function longest(events: ProfileEvent[], most: number): ProfileEvent[] {
  const durations = events.flatMap(({ kind, duration }) => (kind === 'operator' ? [duration] : []));
  if (durations.length <= most) return events;
  const shortest = Float64Array.from(durations).sort()[durations.length - most]!;
  return events.filter(({ kind, duration }) => kind !== 'operator' || duration > shortest);
}
