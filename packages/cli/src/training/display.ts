import type { RunResult, TrainingEvent } from '@keel/align';

/** What a run tells while it goes. */
export type RunEvent = TrainingEvent | { type: 'notice'; text: string };

/** How a run ended, with the command lines that go on from it. */
export interface RunEnding extends RunResult {
  seconds: number;
  /** Talks with the result. */
  chat: string;
  /** Goes on with the run. */
  resume: string;
}

/** Shows a training run. */
export interface TrainingDisplay {
  event(event: RunEvent): void;
  /** A line for the user that is not part of the run's own events. */
  say(text: string): void;
  /** Takes the display away, also where the run fails. */
  close(): void;
  /** After `close`. */
  ended(ending: RunEnding): void;
}
