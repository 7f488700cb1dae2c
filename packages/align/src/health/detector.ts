import type { Draft, FindingCode, HealthContext } from './finding.ts';
import type { RunHistory } from './history.ts';

/** One check of a run's health. */
export interface Detector {
  code: FindingCode;
  /** What it looks at, for the report: "whether the loss grew". */
  looksAt: string;
  /** Whether the run has the numbers or answers that it needs. */
  applies(history: RunHistory, context: HealthContext): boolean;
  /** Called after every step, evaluation and set of answers. */
  check(history: RunHistory, context: HealthContext): Draft | null;
  /** It judges a whole run: called once, after the last step. */
  atEnd?: true;
}

/** The learning rate is the first thing to lower; a tenth is a step that shows an effect. */
export const lowerRate = ({ learningRate }: HealthContext): string =>
  `Start again with a lower --learning-rate, for example ${Number((learningRate / 10).toPrecision(2))}`;
