// Stages that train nothing: they measure the results of earlier stages and may end with a verdict.
// Packages above this one define them, and pass them to `readRecipe`.
import type { OptionsDefinition } from '../config/options.ts';
import type { Headline } from '../runs/report/report-data.ts';

/** What an option takes from a training stage; `run` is the folder of its run. */
export type Taken = 'model' | 'adapter' | 'reward model' | 'run';

/** Whether what was measured is good enough. */
export interface StageVerdict {
  passed: boolean;
  /** What failed and by how much, or what passed, a sentence each. */
  reasons: readonly string[];
}

export interface MeasuringResult {
  interrupted: boolean;
  /** Its numbers for the recipe's report. */
  headlines: readonly Headline[];
  /** null for a measurement without a gate. */
  verdict: StageVerdict | null;
}

export interface MeasuringHooks {
  /** Saves what is measured and stops. */
  signal?: AbortSignal;
  onNotice?(text: string): void;
  /** @param what is counted, such as `answers` or `verdicts` */
  onProgress?(what: string, done: number, total: number): void;
}

/** Options of a measuring stage: those of its verb. */
export type MeasuringOptions = Readonly<Record<string, unknown>> & {
  /** The stage's folder. */
  output: string;
};

/** A kind of stage that measures. */
export interface MeasuringVerb {
  /** As in `keel <name>`. */
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a verb's schema has its own shape
  definition: OptionsDefinition<any, MeasuringOptions>;
  /** For each option that takes results of earlier stages, what it takes, by camelCase name. */
  takes: Readonly<Record<string, Taken>>;
  /** What is put before the path of a stage's result, by camelCase name: `reward:`. */
  prefixes?: Readonly<Record<string, string>>;
  /** Options that the recipe's `defaults` set, by camelCase name. */
  defaults: readonly string[];
  /** Files in the stage's folder that are its result; `report.html` is its report. */
  results: readonly string[];
  /** Files and folders that options name otherwise than by their `reads`, by camelCase name. */
  files?(options: MeasuringOptions): Readonly<Record<string, readonly string[]>>;
  /**
   * Checks what can be checked before earlier stages have results.
   * @throws Error naming what is wrong
   */
  check?(options: MeasuringOptions): Promise<void>;
  /** What is measured, in a few words, for the plan. */
  describe(options: MeasuringOptions): string;
  /**
   * A stage that was interrupted is run with the same options and `resume`; otherwise earlier
   * files in its folder are replaced.
   */
  run(): Promise<
    (
      options: MeasuringOptions & { resume: boolean },
      hooks: MeasuringHooks,
    ) => Promise<MeasuringResult>
  >;
}
