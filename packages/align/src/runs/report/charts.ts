import type { MetricsRow } from '../metrics.ts';

/** A line of a chart. Values correspond to the chart's steps; null means that there is none. */
export interface ChartSeries {
  label: string;
  tone: 'first' | 'second';
  /** Training is a solid line; held-out rows are few, so they are points on a dashed line. */
  held: boolean;
  values: (number | null)[];
  /** The smoothed values; null if the line is smooth or short. */
  smoothed: (number | null)[] | null;
}

export interface Chart {
  id: string;
  title: string;
  /** What the chart shows and how to read it. */
  note: string;
  share: boolean;
  steps: number[];
  series: ChartSeries[];
}

/** A chart of runs, whichever metrics a run has. */
export interface ChartDefinition {
  id: string;
  title: string;
  note: string;
  share?: boolean;
  exact?: boolean;
  /** Of a line's names, the first that a run has is drawn. */
  lines: { label: string; names: string[]; tone: 'first' | 'second' }[];
}

const oneLine = (names: string[]): ChartDefinition['lines'] => [
  { label: '', names, tone: 'first' },
];

/** Charts in reading order; held-out rows have the same names with `eval_` before them. */
export const chartDefinitions: readonly ChartDefinition[] = [
  {
    id: 'loss',
    title: 'Loss',
    note: 'The training objective.',
    lines: oneLine(['loss']),
  },
  {
    id: 'perplexity',
    title: 'Perplexity',
    note: 'The exponential of the loss: the effective number of equally likely tokens to choose from.',
    lines: oneLine(['perplexity']),
  },
  {
    id: 'token-accuracy',
    title: 'Token accuracy',
    note: 'Share of scored tokens that were also the most likely; for pairs, of the chosen answers.',
    share: true,
    lines: oneLine(['mean_token_accuracy']),
  },
  {
    id: 'reward',
    title: 'Reward',
    note: 'Mean reward of the sampled answers, excluding the KL to the reference.',
    lines: oneLine(['reward']),
  },
  {
    id: 'kept-reward',
    title: 'Reward of the answers trained on',
    note: 'Rejection sampling: mean of the best answers to each prompt. If it is no higher than the mean of all answers, the selection has no effect.',
    lines: oneLine(['kept/reward']),
  },
  {
    id: 'margin',
    title: 'Reward margin',
    note: 'How much more the policy favours the chosen answer over the rejected one than the reference does. At 0 the two models agree, and the loss of DPO is ln 2 = 0.693.',
    lines: oneLine(['rewards/margins']),
  },
  {
    id: 'accuracy',
    title: 'Preference accuracy',
    note: 'Share of pairs in which the chosen answer has the higher reward. On held-out rows ties count half; in a step they count as wrong, as in TRL.',
    share: true,
    lines: oneLine(['rewards/accuracies', 'accuracy']),
  },
  {
    id: 'reward-difference',
    title: 'Difference of rewards',
    note: 'Reward models: mean reward of the chosen answer minus that of the rejected one.',
    lines: oneLine(['margin']),
  },
  {
    id: 'best-first',
    title: 'Rankings with the best answer first',
    note: 'Share of rankings in which an answer of the best rank has the highest reward.',
    share: true,
    lines: oneLine(['rewards/best_first']),
  },
  {
    id: 'dropped',
    title: 'Dropped pairs',
    note: 'Share of pairs that were ignored in their step because the policy was too sure of the opposite (--drop-below-margin).',
    share: true,
    lines: oneLine(['dropped']),
  },
  {
    id: 'logps',
    title: 'Log-probabilities',
    note: 'Mean log-probability of whole answers under the policy.',
    lines: [
      { label: 'chosen', names: ['logps/chosen'], tone: 'first' },
      { label: 'rejected', names: ['logps/rejected'], tone: 'second' },
    ],
  },
  {
    id: 'kl',
    title: 'KL to the reference',
    note: 'Distance of the policy from the reference, in nats; for sampled answers, summed over their tokens. If the reference moves, training compares with the reference of that step, and held-out answers are compared with the model before training. The kl of TRL is a mean over tokens.',
    lines: oneLine(['objective/kl', 'kl', 'ppo/kl']),
  },
  {
    id: 'pretraining-loss',
    title: 'Loss on the mixed-in text',
    note: 'Mean over the scored tokens of the --pretraining-data rows of a step, before the coefficient.',
    lines: oneLine(['loss/pretraining_avg']),
  },
  {
    id: 'answer-length',
    title: 'Answer length',
    note: 'Mean number of tokens of the sampled answers. A reward that only favours length shows here.',
    lines: oneLine(['completions/mean_length']),
  },
  {
    id: 'ended',
    title: 'Finished answers',
    note: 'Share of sampled answers that ended. The others were cut off at the maximum length.',
    share: true,
    lines: oneLine(['eos_rate']),
  },
  {
    id: 'entropy',
    title: 'Entropy',
    note: "Mean entropy of the policy's next-token distributions, in nats. At 0 the policy no longer explores.",
    lines: oneLine(['entropy']),
  },
  {
    id: 'clipped',
    title: 'Clipped tokens',
    note: 'Share of tokens whose gradient was removed by clipping.',
    share: true,
    lines: oneLine(['policy/clipfrac_avg', 'clip_ratio/region_mean']),
  },
  {
    id: 'value-explained-variance',
    title: 'Explained variance of the critic',
    note: "Share of the returns' variance that the critic predicts: 1 is all of it, 0 no more than predicting their mean.",
    lines: oneLine(['ppo/value_explained_variance']),
  },
  {
    id: 'beta',
    title: 'Beta',
    note: 'As set by --beta-schedule. Rewards are in units of beta.',
    exact: true,
    lines: oneLine(['beta']),
  },
  {
    id: 'grad-norm',
    title: 'Gradient norm',
    note: 'Global norm before clipping.',
    lines: oneLine(['grad_norm']),
  },
  {
    id: 'learning-rate',
    title: 'Learning rate',
    note: 'As set by the schedule.',
    exact: true,
    lines: oneLine(['learning_rate']),
  },
  {
    id: 'speed',
    title: 'Speed',
    note: 'Tokens trained on per second.',
    lines: oneLine(['tokens_per_second']),
  },
  {
    id: 'mfu',
    title: 'Model FLOP utilisation',
    note: "Operations per second of the model's own matrix products and attention, as a share of this machine's peak matmul speed.",
    share: true,
    lines: oneLine(['mfu']),
  },
];

const mostPoints = 800;
const fewestToSmooth = 24;

/** The charts that a run's metrics allow, in reading order. */
export function chartsOf(rows: readonly MetricsRow[]): Chart[] {
  return [...chartDefinitions, ...suiteDefinitions(rows)].flatMap((definition) => {
    const points = definition.lines.flatMap(({ label, names, tone }) => {
      const training = pointsOf(rows, names);
      const held = pointsOf(
        rows,
        names.map((name) => `eval_${name}`),
      );
      const both = training.size > 0 && held.size > 0;
      const name = (kind: string): string =>
        label === '' ? kind : both || kind === 'held out' ? `${label}, ${kind}` : label;
      return [
        { label: name('training'), tone, held: false, values: thin(training) },
        {
          label: name('held out'),
          tone: label === '' ? ('second' as const) : tone,
          held: true,
          values: held,
        },
      ].filter(({ values }) => values.size > 0);
    });
    if (points.length === 0) return [];
    const { id, title, note, share = false, exact = false } = definition;
    const steps = [...new Set(points.flatMap(({ values }) => [...values.keys()]))].sort(
      (a, b) => a - b,
    );
    const series = points.map(({ label, tone, held, values }) => {
      const aligned = steps.map((step) => values.get(step) ?? null);
      const smooth = !held && !exact && values.size >= fewestToSmooth;
      return { label, tone, held, values: aligned, smoothed: smooth ? smoothed(aligned) : null };
    });
    return [{ id, title, note, share, steps, series }];
  });
}

/** A chart for each task of --eval-suites, with its first two metrics. */
function suiteDefinitions(rows: readonly MetricsRow[]): ChartDefinition[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  const tasks = Map.groupBy(
    [...names].filter((name) => name.startsWith('suite/')),
    (name) => name.split('/')[1]!,
  );
  return [...tasks].map(([task, metrics]) => {
    const shown = metrics.slice(0, 2);
    const values = rows.flatMap((row) => shown.flatMap((name) => row[name] ?? []));
    return {
      id: `suite-${task}`,
      title: `Suite: ${task}`,
      note: 'Measured as keel evaluate does, before training, at evaluations and after.',
      share: values.every((value) => value >= 0 && value <= 1),
      exact: true,
      lines: shown.map((name, place) => ({
        label: name.split('/').slice(2).join('/'),
        names: [name],
        tone: place === 0 ? 'first' : 'second',
      })),
    };
  });
}

/** Values by step under the first name that has any; non-finite values cannot be drawn. */
function pointsOf(rows: readonly MetricsRow[], names: readonly string[]): Map<number, number> {
  for (const name of names) {
    const points = rows.flatMap((row): [number, number][] => {
      const value = row[name];
      return typeof value === 'number' && Number.isFinite(value) ? [[row.step, value]] : [];
    });
    if (points.length > 0) return new Map(points);
  }
  return new Map();
}

/** Means over equal intervals, so that a long run's report stays small. */
function thin(points: Map<number, number>): Map<number, number> {
  const width = Math.ceil(points.size / mostPoints);
  if (width <= 1) return points;
  const entries = [...points];
  const result = new Map<number, number>();
  for (let start = 0; start < entries.length; start += width) {
    const stretch = entries.slice(start, start + width);
    const mean = stretch.reduce((sum, [, value]) => sum + value, 0) / stretch.length;
    result.set(stretch.at(-1)![0], mean);
  }
  return result;
}

/** Mean over a window around each point: unlike a running mean, it causes no shift in time. */
function smoothed(values: readonly (number | null)[]): (number | null)[] {
  const present = values.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
  const reach = Math.max(2, Math.round(present.length / 24));
  const result: (number | null)[] = values.map(() => null);
  for (const [place, { index }] of present.entries()) {
    const window = present.slice(Math.max(0, place - reach), place + reach + 1);
    result[index] = window.reduce((sum, { value }) => sum + value, 0) / window.length;
  }
  return result;
}
