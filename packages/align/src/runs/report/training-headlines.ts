// Numbers of a run without held-out rows, from its training rows.
import type { MetricsRow } from '../metrics.ts';
import type { Headline } from './report-data.ts';

const names: readonly { metric: string; label: string; unit: Headline['unit'] }[] = [
  { metric: 'reward', label: 'Reward of the sampled answers', unit: 'number' },
  { metric: 'loss', label: 'Training loss', unit: 'number' },
  { metric: 'rewards/accuracies', label: 'Training preference accuracy', unit: 'share' },
  { metric: 'accuracy', label: 'Training accuracy', unit: 'share' },
  { metric: 'objective/kl', label: 'KL to the reference (nats per answer)', unit: 'number' },
];

/** Most steps at each end. */
const ENDS = 10;
const SHOWN = 3;

/**
 * Means over the first and the last steps. The change is not judged: training rows differ between
 * the two, and do not show how the model does on other data.
 * @returns none for fewer than two steps
 */
export function trainingHeadlines(rows: readonly MetricsRow[]): Headline[] {
  const sampled = rows.some(({ reward }) => reward !== undefined);
  return names
    .filter(({ metric }) => !(sampled && metric === 'loss'))
    .flatMap(({ metric, label, unit }): Headline[] => {
      const values = rows.flatMap(({ [metric]: value }) =>
        value !== undefined && Number.isFinite(value) ? [value] : [],
      );
      const count = Math.min(ENDS, Math.floor(values.length / 2));
      if (count === 0) return [];
      const mean = (part: readonly number[]): number =>
        part.reduce((sum, value) => sum + value, 0) / part.length;
      const steps =
        count === 1 ? 'the first and the last step' : `the first and last ${count} steps`;
      return [
        {
          ...{ label, unit, better: null },
          before: { value: mean(values.slice(0, count)) },
          after: { value: mean(values.slice(-count)) },
          note: `training rows, ${steps}`,
        },
      ];
    })
    .slice(0, SHOWN);
}
