import type { Draft, FindingCode, HealthContext } from './finding.ts';
import type { RunHistory } from './history.ts';

/** One check of a run's health. */
export interface Detector {
  code: FindingCode;
  /** What it checks, for the report, such as "a loss that grows". */
  looksAt: string;
  /** Whether the run has the numbers or answers that it needs. */
  applies(history: RunHistory, context: HealthContext): boolean;
  /** Called after every step, evaluation and set of answers. */
  check(history: RunHistory, context: HealthContext): Draft | null;
  /** Whether it judges a whole run: it is then called once, after the last step. */
  atEnd?: true;
}

/** Lower the learning rate first. A tenth is low enough to show an effect. */
export const lowerRate = ({ learningRate }: HealthContext): string =>
  `Start again with a lower --learning-rate, for example ${Number((learningRate / 10).toPrecision(2))}`;
