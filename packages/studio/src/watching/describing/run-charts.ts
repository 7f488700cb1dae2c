// Which charts a run's metrics allow, with the titles and explanations of its report.
import { chartDefinitions } from '@keel/align/runs';

/** A line of a chart. */
export interface ChartLine {
  /** The metric. */
  name: string;
  label: string;
  /** Of held-out rows: few points, drawn as such. */
  heldOut: boolean;
}

/** A chart of a run, or of several runs. */
export interface RunChart {
  id: string;
  title: string;
  /** What it shows and how to read it; empty for other metrics. */
  note: string;
  /** Values are shares from 0 to 1. */
  share: boolean;
  /** One of the report's charts; others are less telling. */
  main: boolean;
  lines: ChartLine[];
}

/** Against which metric the reward is drawn: each pair shows what the reward cost. */
const costs = ['objective/kl', 'kl', 'ppo/kl'];

/** Metrics that are no curve to look at. */
const counters = new Set([
  ...['epoch', 'num_tokens', 'eval_num_tokens', 'global_step', 'total_flos'],
  // Of the whole run, which a Trainer logs at its end.
  ...['train_runtime', 'train_samples_per_second', 'train_steps_per_second', 'train_loss'],
]);

/** The charts of metrics in reading order, those of the report first. */
export function chartsOf(metrics: readonly string[]): RunChart[] {
  const has = new Set(metrics);
  const used = new Set<string>();
  const use = (name: string): string => {
    used.add(name);
    return name;
  };
  const main = chartDefinitions.flatMap(({ id, title, note, share = false, lines }): RunChart[] => {
    const shown = lines.flatMap(({ label, names }): ChartLine[] => {
      const training = names.find((name) => has.has(name));
      const heldOut = names.map((name) => `eval_${name}`).find((name) => has.has(name));
      const said = (kind: string): string => (label === '' ? kind : `${label}, ${kind}`);
      return [
        ...(training === undefined
          ? []
          : [{ name: use(training), label: said('training'), heldOut: false }]),
        ...(heldOut === undefined
          ? []
          : [{ name: use(heldOut), label: said('held out'), heldOut: true }]),
      ];
    });
    return shown.length === 0 ? [] : [{ id, title, note, share, main: true, lines: shown }];
  });
  // Keel's runs have the share that finished instead.
  const cutOff = has.has('eos_rate') ? [] : cutOffChart(metrics.filter((name) => !used.has(name)));
  for (const { lines } of cutOff) for (const { name } of lines) use(name);
  return [
    ...main,
    ...cutOff,
    ...otherCharts(metrics.filter((name) => !used.has(name) && !counters.has(name))),
  ];
}

/** TRL's share of answers that were cut off. */
const cutOffChart = (names: readonly string[]): RunChart[] =>
  otherCharts(names.filter((name) => /^(eval_)?completions\/clipped_ratio$/.test(name))).map(
    (chart) => ({
      ...chart,
      ...{ title: 'Cut-off answers', share: true, main: true },
      note: 'Share of sampled answers that reached the maximum length before their end.',
    }),
  );

/** A chart for each metric, with its held-out one; of suites, for each task. */
function otherCharts(names: readonly string[]): RunChart[] {
  const groups = Map.groupBy(names, (name) => {
    const plain = name.replace(/^eval_/, '');
    const [first, second] = plain.split('/');
    return first === 'suite' ? `${first}/${second}` : plain;
  });
  return [...groups].map(([id, own]) => ({
    ...{ id, title: id.replace(/^suite\//, 'Suite: '), note: '', share: false },
    main: id.startsWith('suite/'),
    lines: own.map((name) => ({
      name,
      label: id.startsWith('suite/') ? name.split('/').slice(2).join('/') : lineLabel(name),
      heldOut: name.startsWith('eval_') || id.startsWith('suite/'),
    })),
  }));
}

const lineLabel = (name: string): string => (name.startsWith('eval_') ? 'held out' : 'training');

/** Metrics of the curve of the reward against what it cost; null if the run has none. */
export function rewardAgainst(metrics: readonly string[]): { reward: string; kl: string } | null {
  const kl = costs.find((name) => metrics.includes(name));
  return metrics.includes('reward') && kl !== undefined ? { reward: 'reward', kl } : null;
}
