import type { TrainingDisplay } from './display.ts';

/** Of the processes that train together, rank 0 shows the run. */
export class SilentDisplay implements TrainingDisplay {
  event(): void {}
  say(): void {}
  close(): void {}
  ended(): void {}
}
