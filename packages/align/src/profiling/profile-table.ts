import { formatCount } from '../runs/progress.ts';
import type { WrittenProfile } from './step-profiler.ts';

const topOperators = 12;

/** A profile for people: share by phase, and the most expensive operators. */
export function profileTable({ path, summary, leftOut }: WrittenProfile): string {
  const { steps, seconds, phases, operators, peakBytes, missedOperators } = summary;
  const count = Math.max(1, steps.length);
  const time = (of: number): string => (of / count).toFixed(3).padStart(10);
  const share = (of: number): string => `${(100 * of).toFixed(1)}%`.padStart(7);
  const shown = operators.slice(0, topOperators);
  const width = Math.max(24, ...shown.map(({ name }) => name.length));
  const head = (name: string, ...columns: string[]): string =>
    `${name.padEnd(width)}  share    s/step${columns.join('')}`;
  const peaks = Object.entries(peakBytes).map(
    ([device, bytes]) => `${formatCount(bytes)}B on ${device}`,
  );
  return [
    `Profile of ${named(steps)}: ${seconds.toFixed(2)} s`,
    head('phase'),
    ...phases.map(({ name, ...one }) => {
      const inner = name.split('/');
      const label = `${'  '.repeat(inner.length - 1)}${inner.at(-1)}`;
      return `${label.padEnd(width)}${share(one.share)}${time(one.seconds)}`;
    }),
    head('operator, by self time', '    calls/step'),
    ...shown.map(
      (one) =>
        `${one.name.padEnd(width)}${share(one.share)}${time(one.selfSeconds)}${Math.round(
          one.calls / count,
        )
          .toString()
          .padStart(14)}`,
    ),
    ...(missedOperators > 0
      ? [
          `the last ${formatCount(missedOperators)} operators were not recorded: profile fewer steps`,
        ]
      : []),
    ...(peaks.length > 0 ? [`peak memory ${peaks.join(', ')} above the start`] : []),
    `trace in ${path}${leftOut > 0 ? ` (without the ${formatCount(leftOut)} shortest operators)` : ''}: open it in chrome://tracing or https://ui.perfetto.dev`,
  ].join('\n');
}

function named(steps: readonly number[]): string {
  if (steps.length === 0) return 'no complete step';
  return steps.length === 1
    ? `step ${steps[0]}`
    : `steps ${Math.min(...steps)} to ${Math.max(...steps)}`;
}
