import type { NoticeEvent, RunResult, TrainingEvent } from '@keel/align';

/** What a run reports. */
export type RunEvent = TrainingEvent | NoticeEvent;

/** What can be done with a result. */
export interface ResultUse {
  name: 'chat' | 'score';
  words: string;
  command: string;
}

/** How a run ended, with the command lines that go on from it. */
export interface RunEnding extends RunResult {
  seconds: number;
  /** Uses the result: the name of it in JSON, words before it, and the command line. */
  use: ResultUse;
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
