// Sentences that the terminal and the report share.
import { formatShare } from '@keel/align/internal';
import type { Interval, NextPair } from '@keel/statistics';
import type { RatingJsonInput } from './ratings-json.ts';
import type { ReadBattles } from './read-battles.ts';

/** An exact count, unlike the short ones of progress lines. */
export const whole = (count: number): string => count.toLocaleString('en-US');

const counted = (count: number, one: string): string =>
  `${whole(count)} ${one}${count === 1 ? '' : 's'}`;

export const battlesText = (count: number): string => counted(count, 'battle');

/** What was read, and what was not. */
export function readSentences(read: ReadBattles): string[] {
  const { table, rows, ties, judges, skipped, badRows, firstBadRow } = read;
  const people = Object.keys(judges).length;
  const facts = [
    `${counted(rows, 'row')}, ${counted(table.length, 'battle')} of ${counted(table.names.length, 'model')}`,
    ...(read.clusters === null
      ? []
      : [counted(read.clusters, read.clusterName === 'prompt' ? 'prompt' : 'cluster')]),
    ...(people > 1 ? [`${whole(people)} judges`] : []),
    `${formatShare(ties / table.length)} ties`,
  ];
  return [
    facts.join(', '),
    ...Object.entries(skipped).map(([why, count]) => `skipped: ${whole(count)} ${why}`),
    ...(badRows === 0
      ? []
      : [`${counted(badRows, 'bad row')} skipped. First fault: ${firstBadRow}`]),
  ];
}

/** How intervals were computed. */
export function intervalText({ read, options, results }: RatingJsonInput): string {
  const own =
    read.unclustered === 0 ? '' : `; ${whole(read.unclustered)} without one are independent`;
  const unit =
    read.clusters === null
      ? 'every battle is independent'
      : `battles with the same ${read.clusterName} are a cluster (${whole(read.clusters)} clusters${own})`;
  if (options.intervals === 'sandwich') return `sandwich intervals; ${unit}`;
  const { skippedSamples } = results.overall;
  const skipped =
    skippedSamples === 0 ? '' : `, ${whole(skippedSamples)} of them without a maximum`;
  return `bootstrap intervals of ${whole(options.resamples)} samples${skipped}; ${unit}`;
}

/** Suggested battles of a pair, and why. */
export function nextText(pair: NextPair): string {
  const { a, b, suggested, battles, winProbability, errors, reduction } = pair;
  const [before, after] = errors.map((error) => error.toPrecision(4));
  return (
    `${suggested === 1 ? '' : `${whole(suggested)} times `}${a} against ${b}: ` +
    `${counted(battles, 'battle')} so far; ${a} is expected to win ${formatShare(winProbability)}; ` +
    `the standard error of their difference falls from ${before} to ${after} points, and the ` +
    `variance of all differences by ${(100 * reduction).toPrecision(2)}%`
  );
}

/** The effect of one standard deviation of a feature, in log-odds. */
export function styleText(
  name: string,
  { value, interval }: { value: number; interval: Interval },
): string {
  if (value === 0 && interval[0] === 0 && interval[1] === 0)
    return `${name}: the same in all answers`;
  const shown = [value, ...interval].map((one) => one.toFixed(3).replace(/^-(0\.0+)$/, '$1'));
  return `${name}: ${shown[0]} (95% interval ${shown[1]} to ${shown[2]})`;
}
