// Numbers of an evaluation in words.

import type { Difference } from '../comparing/compare-entries.ts';
import type { GateResult } from '../gates/check-gates.ts';
import { type Metric, metricId } from '../tasks/metrics.ts';

/** Shares in percent, other numbers with four digits. */
export function numberText({ share }: Pick<Metric, 'share'>, value: number): string {
  return share ? `${(100 * value).toFixed(1)}%` : plain(value);
}

const plain = (value: number): string => String(Number(value.toPrecision(4)));

const changeText = ({ share }: Pick<Metric, 'share'>, value: number): string =>
  `${value > 0 ? '+' : ''}${share ? (100 * value).toFixed(1) : plain(value)}`;

/** `+2.1 points (-0.4 to +4.6); 12 gained, 6 lost, p = 0.24` */
export function differenceText({ metric, value, interval, changes }: Difference): string {
  const [low, high] = interval.map((one) => changeText(metric, one));
  const unit = metric.share ? ' points' : '';
  const test =
    changes === null
      ? ''
      : `; ${changes.gained} gained, ${changes.lost} lost, p = ${Number(changes.p.toPrecision(2))}`;
  return `${changeText(metric, value)}${unit} (${low} to ${high})${test}`;
}

const words = {
  at_least: 'at least',
  at_most: 'at most',
  no_worse_than: 'no worse than the baseline by more than',
  better_by: 'better than the baseline by at least',
} as const;

/** What a gate needs, what was measured, and how much is missing. */
export function gateText({ gate, measured, bound, short_by: short, passed }: GateResult): string {
  const { metric, condition, decidedBy, task, written } = gate;
  const compares = condition === 'no_worse_than' || condition === 'better_by';
  const unit = metric.share ? (compares ? ' points' : '%') : '';
  const number = (value: number): string =>
    metric.share ? `${(100 * value).toFixed(1)}${unit}` : plain(value);
  const need = `${task}/${metricId(metric)} ${words[condition]} ${number(gate.bound)}`;
  if (measured === null) return `${need}: nothing was measured`;
  const sure = `${Number((100 * written.confidence).toPrecision(4))}%`;
  const decided =
    decidedBy === 'interval'
      ? `, and ${number(bound!)} at the worse end of its ${sure} interval`
      : '';
  const missing = passed
    ? ''
    : `; ${metric.share ? `${(100 * short!).toFixed(1)} points` : plain(short!)} short`;
  return `${need}: measured ${number(measured)}${decided}${missing}`;
}
