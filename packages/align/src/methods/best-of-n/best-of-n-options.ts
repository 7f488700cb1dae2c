// Options of best-of-n sampling, and what it reports while it runs.
import type { Constraint, Precision } from '@keel/model';
import type { RowReading } from '../../config/row-options.ts';
import type { TemplateOptions } from '../../config/template-options.ts';
import type { SamplingSettings } from '../../runs/sampling-job.ts';
import type { ModelFacts } from '../../training/run-plan.ts';
import type { BestOfNForm } from './sampled-prompt.ts';

export interface BestOfNOptions extends TemplateOptions, RowReading {
  model: string;
  adapter: string | null;
  precision: Precision;
  device: string;
  threads: number | null;
  data: readonly string[];
  onBadRow: 'fail' | 'skip';
  reward: string;
  /** Concurrent calls of an asynchronous reward function. */
  rewardConcurrency: number;
  /** Limit on one such call, in seconds. */
  rewardTimeout: number | null;
  unsafeCode: boolean;
  /** Penalty on the reward of a truncated answer. */
  missingEosPenalty: number;
  /** n: answers per prompt. */
  numGenerations: number;
  sampling: SamplingSettings;
  /** What every answer must match (default: null, anything). */
  constraint?: Constraint | null;
  /** Answers sampled at the same time. */
  batchSize: number;
  output: string;
  write: BestOfNForm;
  overwrite: boolean;
  /** Check everything, and sample and write nothing (default: false). */
  dryRun?: boolean;
}

/** What a job is going to do. */
export interface BestOfNPlan {
  model: ModelFacts;
  adapter: string | null;
  prompts: number;
  /** Prompts that an earlier command has done. */
  done: number;
  /** Of each prompt. */
  answers: number;
  /** Name of the reward, which is open. */
  reward: string;
  precision: 'fp32' | 'bf16';
  device: string;
  threads: number;
}

export interface BestOfNProgress {
  /** Finished answers out of `total`, including those of an earlier command. */
  answers: number;
  total: number;
  /** Tokens sampled by this command. */
  tokens: number;
  /** Mean reward of all answers and of the best of n; null until the first prompts are scored. */
  means: { mean: number; best: number } | null;
}

export interface BestOfNHooks {
  /** Called once, before anything is sampled. */
  onPlan?(plan: BestOfNPlan): void;
  onProgress?(progress: BestOfNProgress): void;
  onNotice?(text: string): void;
  /** Called every second, with the seconds so far, while the reward takes longer than two. */
  onWait?(seconds: number): void;
  /** Stops the job; scored answers are saved, and the same command resumes from there. */
  signal?: AbortSignal;
}
