import type { AnswerAudit } from '@keel/align/hacking';
import type { Reward } from '@keel/align/rewards';
import type { ReadingOptions } from '../../judging/answers/read-answers.ts';
import type { PairedAnswers } from '../reading/paired-answers.ts';
import type { CoursePoint } from '../reading/run-course.ts';
import type { ComparedSteps } from '../reading/run-samples.ts';

/** Answers before and after training. */
export type AuditSource =
  | { kind: 'files'; before: string; after: string }
  /** The samples of an online run (steps: the first and the last evaluation). */
  | { kind: 'run'; folder: string; steps?: ComparedSteps };

export interface AuditOptions {
  source: AuditSource;
  /** A column of the rows, or a reward (default: the column `reward` or `score`). */
  reward: string | null;
  /** What the reward stands for: a column or a reward (default: the column `gold`). */
  gold: string | null;
  reading: ReadingOptions;
  unpaired: 'fail' | 'skip';
  openReward(spec: string): Promise<Reward>;
}

export interface AuditHooks {
  signal?: AbortSignal;
  onNotice?(text: string): void;
  /** Answers that a reward has scored. */
  onProgress?(what: 'reward' | 'gold', done: number, total: number): void;
}

/** An audit with what it was made of. */
export interface Audited {
  audit: AnswerAudit;
  /** In the order of the audit. */
  rows: readonly PairedAnswers[];
  /** Names of the scores; null: none. */
  names: { reward: string | null; gold: string | null };
  /** The answers that were compared, in words. */
  about: string;
  unpaired: { before: number; after: number };
  /** Of a run: all its evaluations; otherwise empty. */
  course: readonly CoursePoint[];
}
