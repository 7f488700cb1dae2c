// What a method says about itself once: the command line, JSON Schemas, recipes and the library
// follow from it. Its run, which needs LibTorch, is only loaded when it is needed.
import type { OptionsDefinition } from '../../config/options.ts';
import type { TrainingOptions } from '../../config/training-options.ts';
import type { RunHooks, RunResult } from '../../training/run-training.ts';

/** The kind of a stage's result, for later stages. */
export type StageResult = 'language model' | 'reward model';

/** Kinds of rows whose work can be estimated (measure-rows.ts). */
export type MeasuredRows =
  | 'supervised'
  | 'judged'
  | 'preference'
  | 'rankings'
  | 'ranking pairs'
  | 'unpaired'
  | 'prompt';

export interface OtherPasses {
  /** Once per row: the result is cached. */
  once?: number;
  /** Each time the row is used. */
  always?: number;
  /** Trained passes (default: 1). */
  trained?: number;
}

/** Rows of other files in every optimizer step. */
export interface MixedRows {
  data: readonly string[];
  rows: MeasuredRows;
  /** Rows per step. */
  count: number;
}

/** What a method is as a stage of a recipe. */
export interface StageParts<Options> {
  gives: StageResult;
  /** The kind of its rows, from which its work is estimated. */
  rows: MeasuredRows | ((options: Options) => MeasuredRows);
  /** Forward passes of a row in addition to the one that is trained. */
  otherPasses?(options: Options): OtherPasses;
  /** Rows that each optimizer step has in addition to those of `data`. */
  mixed?(options: Options): MixedRows | null;
}

export interface MethodVerb<Options extends TrainingOptions = TrainingOptions> {
  /** As in `keel <name>`. */
  name: string;
  /** What it does, in a line of `keel --help`. */
  summary: string;
  /** A command line, shown at the end of its help. */
  example: string;
  // biome-ignore lint/suspicious/noExplicitAny: a method's schema has its own shape
  definition: OptionsDefinition<any, Options>;
  run(): Promise<(options: Options, hooks?: RunHooks) => Promise<RunResult>>;
  stage: StageParts<Options>;
}

/** Checks that the parts of a method agree on its options. */
export const methodVerb = <Options extends TrainingOptions>(
  verb: MethodVerb<Options>,
): MethodVerb => verb as unknown as MethodVerb;
