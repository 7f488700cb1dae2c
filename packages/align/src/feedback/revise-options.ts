// Options of critique and revision, and what it reports while it runs.
import type { Precision } from '@keel/model';
import type { RowReading } from '../config/row-options.ts';
import type { TemplateOptions } from '../config/template-options.ts';
import type { SamplingSettings } from '../runs/sampling-job.ts';
import type { ModelFacts } from '../training/run-plan.ts';
import type { RevisionSummary } from './revision-summary.ts';

/** What is revised, under which principles. */
export interface ReviseOptions extends TemplateOptions, RowReading {
  /** Answers the prompts, and criticises and revises if no one else is named. */
  model: string;
  adapter: string | null;
  precision: Precision;
  device: string;
  threads: number | null;
  data: readonly string[];
  onBadRow: 'fail' | 'skip';
  /** Use only so many prompts, from the start; null: all (the default). */
  limit?: number | null;
  /** Another model that criticises; null: the policy. */
  critic: string | null;
  /** Another model that revises; null: the critic. */
  reviser: string | null;
  /** File of the constitution; null: Keel's own. */
  constitution: string | null;
  /** File of examples that replace those of the constitution; null: none. */
  examples: string | null;
  /** Put examples before each request. */
  fewShot: boolean;
  /** Critiques and revisions of each answer. */
  rounds: number;
  sampling: SamplingSettings;
  /** Turns sampled at the same time. */
  batchSize: number;
  /** Folder of the result. */
  output: string;
  overwrite: boolean;
  /** Check everything, and say and write nothing (default: false). */
  dryRun?: boolean;
}

/** What a job is going to do. */
export interface RevisePlan {
  model: ModelFacts;
  adapter: string | null;
  critic: string;
  reviser: string;
  constitution: { name: string; version: string; principles: number; examples: number };
  rounds: number;
  prompts: number;
  /** Prompts that an earlier command has done. */
  done: number;
  precision: 'fp32' | 'bf16';
  device: string;
  threads: number;
}

/** How far a revision is. */
export interface ReviseProgress {
  /** Prompts that are done, out of `total`, including those of an earlier command. */
  prompts: number;
  total: number;
  /**
   * How much of the next prompts is done, in prompts: the share of their turns, as if all were
   * needed.
   */
  current: number;
}

/** What a revision reports, and how it is stopped. */
export interface ReviseHooks {
  /** Called once, before anybody is asked. */
  onPlan?(plan: RevisePlan): void;
  onProgress?(progress: ReviseProgress): void;
  onNotice?(text: string): void;
  /** Stops the job; finished prompts are saved, and the same command resumes from there. */
  signal?: AbortSignal;
}

/** Where the revised answers are. */
export interface ReviseResult {
  output: string;
  interrupted: boolean;
  /** Prompts that are done. */
  done: number;
  /** null if it was interrupted, or a dry run. */
  summary: RevisionSummary | null;
}
