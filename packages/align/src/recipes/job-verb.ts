// Stages that train nothing. They measure the results of earlier stages and may end with a verdict,
// or they write rows for later stages. Packages above this one define them, and pass them to
// `readRecipe`.
import type { OptionsDefinition } from '../config/options.ts';
import type { Headline } from '../runs/report/report-data.ts';

/**
 * What an option takes from an earlier stage. `run` is the folder of a run that trained, `judge` a
 * language model or a reward model that judges, `rows` a file of rows that a job wrote.
 */
export type Taken = 'model' | 'adapter' | 'reward model' | 'judge' | 'run' | 'rows';

/** Whether what was measured is good enough. */
export interface StageVerdict {
  passed: boolean;
  /** What failed and by how much, or what passed, a sentence each. */
  reasons: readonly string[];
}

/** The result of a job in a recipe. */
export interface JobResult {
  interrupted: boolean;
  /** Its numbers for the recipe's report. */
  headlines: readonly Headline[];
  /** null for a job without a gate. */
  verdict: StageVerdict | null;
}

/** What a job reports, and how it is stopped. */
export interface JobHooks {
  /** Saves what is done and stops. */
  signal?: AbortSignal;
  onNotice?(text: string): void;
  /** @param what is counted, such as `answers` or `verdicts` */
  onProgress?(what: string, done: number, total: number): void;
}

/** Options of such a stage: those of its verb. */
export type JobOptions = Readonly<Record<string, unknown>> & {
  /** The stage's folder. */
  output: string;
};

/** A kind of stage that trains nothing. */
export interface JobVerb {
  /** As in `keel <name>`. */
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a verb's schema has its own shape
  definition: OptionsDefinition<any, JobOptions>;
  /**
   * For each option that takes results of earlier stages, what it takes, by camelCase name. Options
   * that read rows take rows, also if they are not in it.
   */
  takes: Readonly<Record<string, Taken>>;
  /** Options that the recipe's `defaults` set, by camelCase name. */
  defaults: readonly string[];
  /** Files in the stage's folder that are its result; `report.html` is its report. */
  results: readonly string[];
  /**
   * Those of `results` that have rows for later stages, the usual one first; none for a stage that
   * measures.
   */
  rows: readonly string[];
  /** Files and folders that options name otherwise than by their `reads`, by camelCase name. */
  files?(options: JobOptions): Readonly<Record<string, readonly string[]>>;
  /**
   * Checks what can be checked before earlier stages have results.
   * @param pending options whose values do not exist yet, by camelCase name
   * @throws Error naming what is wrong
   */
  check?(options: JobOptions, pending: readonly string[]): Promise<void>;
  /** What is measured or made, in a few words, for the plan. */
  describe(options: JobOptions): string;
  /**
   * A stage that was interrupted is run with the same options and `resume`; otherwise earlier
   * files in its folder are replaced.
   */
  run(): Promise<
    (options: JobOptions & { resume: boolean }, hooks: JobHooks) => Promise<JobResult>
  >;
}
