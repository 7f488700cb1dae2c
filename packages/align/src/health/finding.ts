// What a check of a run's health reports.

/** What can be wrong with a run, by the name in health.json. */
export const findingCodes = [
  'exploding-loss',
  'exploding-margin',
  'chosen-collapse',
  'degenerate-answers',
  'nothing-learnt',
  'zero-variance-groups',
  'all-cut-off',
  'entropy-collapse',
  'reward-saturated',
  'ensemble-disagreement',
  'kl-bound',
  'gradients-clipped',
  'reward-gamed',
] as const;

export type FindingCode = (typeof findingCodes)[number];

/** `serious`: the result is very likely unusable, or its numbers are misleading. */
export type Severity = 'warning' | 'serious';

export interface Finding {
  code: FindingCode;
  severity: Severity;
  /** Optimizer steps that had finished when it was found. */
  step: number;
  /** What happened, with its numbers, as a sentence without a full stop. */
  what: string;
  /** The numbers that it is based on. */
  evidence: Readonly<Record<string, number>>;
  /** What to do, in a sentence or two. */
  advice: string;
}

/** A finding before the step is added. */
export type Draft = Omit<Finding, 'step' | 'code'>;

/** The options of a run that its health depends on. */
export interface HealthContext {
  learningRate: number;
  maxGradNorm: number | null;
  /** Bound of the KL to the reference, in nats per answer; null: none. */
  maxKl: number | null;
}

/** Numbers of a step or an evaluation, as in metrics.jsonl. */
export interface HealthRow {
  step: number;
  [name: string]: number;
}

/** A greedy answer to a sample prompt. */
export interface HealthAnswer {
  prompt: string;
  text: string;
}
