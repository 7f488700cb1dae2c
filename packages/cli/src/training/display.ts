import type { RunResult, TrainingEvent } from '@keel/align';
import type { NoticeEvent } from '@keel/align/internal';

/** What a run reports while it runs. */
export type RunEvent = TrainingEvent | NoticeEvent;

/** A way to use a result. */
export interface ResultUse {
  name: 'chat' | 'score';
  words: string;
  command: string;
}

/** How a run ended, with the commands to run next. */
export interface RunEnding extends RunResult {
  seconds: number;
  /** The command that uses the result, its name in JSON and the words before it. */
  use: ResultUse;
  /** The command that resumes the run. */
  resume: string;
}

/** Shows a training run. */
export interface TrainingDisplay {
  event(event: RunEvent): void;
  /** A line for the user that is not part of the run's own events. */
  say(text: string): void;
  /** Removes the display, also if the run fails. */
  close(): void;
  /** Called after `close`. */
  ended(ending: RunEnding): void;
}
