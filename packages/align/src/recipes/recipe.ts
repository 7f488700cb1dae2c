import { join } from 'node:path';
import type { TrainingOptions } from '../config/training-options.ts';
import type { JobOptions, JobVerb } from './job-verb.ts';
import { type StageVerb, stageVerbs } from './stage-verbs.ts';

interface AnyStage {
  name: string;
  /** Counted from 1. */
  number: number;
  verb: string;
  /** For each option that takes results of earlier stages, the names of those stages. */
  from: ReadonlyMap<string, readonly string[]>;
}

/** A stage that trains: a method with its options. */
export interface TrainingStage extends AnyStage {
  kind: 'training';
  /** Every option; results of earlier stages are given as paths. */
  options: TrainingOptions & Readonly<Record<string, unknown>>;
}

/** A stage that trains nothing: it measures results of earlier stages, or writes rows. */
export interface JobStage extends AnyStage {
  kind: 'job';
  /** Every option; results of earlier stages are given as paths. */
  options: JobOptions;
  job: JobVerb;
}

/** One stage of a recipe: a verb with its options. */
export type RecipeStage = TrainingStage | JobStage;

/** Stages that run one after the other. */
export interface Recipe {
  /** The file that it was read from. */
  path: string;
  /** The file's text. */
  text: string;
  /** The folder of all stages. */
  output: string;
  stages: readonly RecipeStage[];
  /**
   * The date that chat templates print in stages that do not set one; recorded when the recipe is
   * first run.
   */
  templateDate?: string;
}

/** The folder of a stage's run. */
export const stageFolder = (output: string, name: string): string => join(output, name);

/** The result of a stage's run: an adapter or a whole model. */
export const finalFolder = (output: string, name: string): string => join(output, name, 'final');

/** The whole model with a stage's adapter merged into its base. */
export const mergedFolder = (output: string, name: string): string => join(output, name, 'merged');

export const verbOf = ({ verb }: TrainingStage): StageVerb => stageVerbs[verb]!;

export const definitionOf = (
  stage: RecipeStage,
): StageVerb['definition'] | JobVerb['definition'] =>
  stage.kind === 'training' ? verbOf(stage).definition : stage.job.definition;

/** Whether a stage measures results of earlier stages, and makes nothing for later ones. */
export const isMeasuring = (stage: RecipeStage): boolean =>
  stage.kind === 'job' && stage.job.rows.length === 0;

/** Earlier stages that a stage depends on, without duplicates. */
export const dependsOn = ({ from }: RecipeStage): string[] => [
  ...new Set([...from.values()].flat()),
];
