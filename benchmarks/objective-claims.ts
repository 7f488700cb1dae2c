// Tests the papers' claims about their objectives on worlds so small that the truth is known.
// Prints the tables of docs/results/objectives.md; --plots writes its plots.
//   node benchmarks/objective-claims.ts [--seeds 20] [--plots docs/results]
//     [--only optimum|certainty|noise|unpaired]
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  bootstrapMeanInterval,
  bradleyTerry,
  deterministic,
  drawn,
  type FeatureWorldOptions,
  featureWorld,
  fitted,
  fittedRankings,
  type HeldOut,
  heldOutOfPaired,
  heldOutOfUnpaired,
  type Measuring,
  meanPreference,
  network,
  normal,
  tinyWorld,
  uniforms,
} from '@keel/align/internal';
import { setThreads } from '@keel/torch';
import { type LineChart, lineChart } from './line-chart.ts';

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    plots: { type: 'string' },
    only: { type: 'string' },
  },
});
setThreads(1);
const seeds = Array.from({ length: Number(options.seeds) }, (_, at) => at + 1);
const world = tinyWorld();
const s = (x: number): number => 1 / (1 + Math.exp(-x));

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
function table(title: string, columns: readonly string[]): (...cells: (string | number)[]) => void {
  print(`\n**${title}**\n`);
  print(`| ${columns.join(' | ')} |`);
  print(`|${columns.map(() => '---|').join('')}`);
  return (...cells) => print(`| ${cells.join(' | ')} |`);
}
function plot(name: string, chart: LineChart): void {
  if (options.plots !== undefined) writeFileSync(join(options.plots, name), lineChart(chart));
}
const mean = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / values.length;
/** Mean with its 95% interval over seeds. */
const withInterval = (values: readonly number[], digits = 3): string => {
  const [low, high] = bootstrapMeanInterval(values);
  return `${mean(values).toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
};

function optimum(): void {
  const labels = bradleyTerry(world);
  const row = table(
    'Distance of each result with all Bradley-Terry preferences, in total variation',
    [...['objective', 'b', 'to pi_ref exp(r/b)', 'to pi_ref exp(P(y beats the others)/b)']],
  );
  const preferred = meanPreference(world, (one, other) =>
    s(world.rewards[one]! - world.rewards[other]!),
  );
  const tell = (name: string, beta: number, found: Float64Array): void =>
    row(
      ...[name, beta],
      world.totalVariation(found, world.optimum(beta)).toFixed(4),
      world.totalVariation(found, world.optimum(beta, preferred)).toFixed(4),
    );
  for (const beta of [0.1, 0.3, 1])
    tell('`sigmoid` (DPO)', beta, fitted(world, labels, 'sigmoid', { beta }));
  tell('`dno`, rewards given', 0.3, fitted(world, labels, 'dno', { beta: 0.3 }));
  tell(
    '`rebel`, rewards given, eta = 1/b',
    0.5,
    fitted(world, labels, 'rebel', { beta: 1, rebelEta: 2 }),
  );
  tell('`plackettLuceDpo`, all rankings', 0.3, fittedRankings(world, 0.3));
  for (const name of ['ipo', 'sppo_hard', 'nca_pair', 'hinge', 'apo_zero', 'exo'])
    tell(`\`${name}\``, 0.3, fitted(world, labels, name, { beta: 0.3 }));

  const counts = Array.from({ length: 11 }, (_, at) => 2 ** (at + 7));
  const betas = [0.3, 1, 3];
  const byCount = table('DPO on sampled labels: total variation to the optimum', [
    ...['labels', ...betas.map((beta) => `b = ${beta}`)],
  ]);
  const lines = betas.map((beta) => ({ label: `b = ${beta}`, values: [] as number[] }));
  for (const count of counts) {
    const cells = betas.map((beta, place) => {
      const found = seeds.map((seed) => {
        const end = fitted(world, drawn(world, count, uniforms(seed)), 'sigmoid', { beta });
        return world.totalVariation(end, world.optimum(beta));
      });
      lines[place]!.values.push(mean(found));
      return withInterval(found);
    });
    byCount(count, ...cells);
  }
  const title = 'DPO: total variation to the optimum, by number of labels';
  plot('objectives-optimum.svg', { title, x: counts, lines });
}

function certainty(): void {
  const labels = deterministic(world);
  const at = [1, 4, 16, 64, 256, 1024, 4096, 16384];
  const most = world.kl(world.optimum(0.005));
  const row = table(
    `Certain preferences: largest log-ratio margin by steps, and KL to the reference at the end (greedy: ${most.toFixed(3)})`,
    ['objective', 'b', ...at.map(String), 'KL'],
  );
  const lines: { label: string; values: number[] }[] = [];
  for (const [name, own] of [
    ['sigmoid', {}],
    ['sigmoid', { labelSmoothing: 0.1 }],
    ['hinge', {}],
    ['ipo', {}],
  ] as const) {
    for (const beta of [0.1, 0.5]) {
      const margins: number[] = [];
      const end = fitted(
        world,
        labels,
        name,
        { beta, ...own },
        {
          ...{ steps: at.at(-1)!, learningRate: 0.1, decay: false },
          seen(step, read) {
            if (!at.includes(step)) return;
            const raised = read().map((one, place) => one - world.reference[place]!);
            margins.push(
              Math.max(...labels.map((one) => raised[one.chosen]! - raised[one.rejected]!)),
            );
          },
        },
      );
      const label = 'labelSmoothing' in own ? 'cDPO, e = 0.1' : name;
      row(label, beta, ...margins.map((one) => one.toFixed(2)), world.kl(end).toFixed(3));
      if (beta === 0.5) lines.push({ label, values: margins });
    }
  }
  const title = 'Certain preferences, b = 0.5: largest margin, by steps';
  plot('objectives-margins.svg', { title, x: at, top: 40, lines });
}

const shares = [0, 0.1, 0.2, 0.3];
const noisy = [
  ['DPO', 'sigmoid', () => 0],
  ['cDPO', 'sigmoid', (share: number) => share],
  ['robust', 'robust', (share: number) => share],
] as const;

function noise(): void {
  const exact = table('All preferences, a share flipped: total variation to the optimum, b = 0.3', [
    ...['objective', ...shares.map((share) => `${100 * share}%`)],
  ]);
  for (const [label, name, smoothing] of noisy) {
    const found = shares.map((share) => {
      const given = { beta: 0.3, labelSmoothing: smoothing(share) };
      return fitted(world, bradleyTerry(world, share), name, given);
    });
    exact(label, ...found.map((one) => world.totalVariation(one, world.optimum(0.3)).toFixed(4)));
  }
  const many = { features: 20, pairs: 2000, spread: 2, labels: 'bradley_terry' } as const;
  const few = { features: 60, pairs: 100, spread: 3, labels: 'certain' } as const;
  const line = { steps: [30, 300], how: () => ({}) };
  flippedTables('2,000 pairs, 20 features, Bradley-Terry labels', many, line, {
    ...{ file: 'objectives-noise.svg', key: 'distance' },
    title: 'Total variation to the optimum, by the share of flipped labels',
  });
  flippedTables('100 pairs, 60 features, certain labels', few, line);
  const byHeart = { features: 20, pairs: 300, spread: 3, labels: 'certain' } as const;
  const how = (seed: number): Partial<Measuring> => {
    const uniform = uniforms(1000 + seed);
    return { of: network(128, () => normal(uniform)), learningRate: 0.01 };
  };
  const trained = { steps: [20, 400], how };
  flippedTables(
    'A network of 128 units, 300 pairs, 20 features, certain labels',
    byHeart,
    trained,
    {
      ...{ file: 'objectives-noise-network.svg', key: 'accuracy' },
      title: 'A network: held-out accuracy after 400 steps, by the share of flipped labels',
    },
  );
}

/**
 * A world with flipped labels under each loss: held-out accuracy after each of these steps, and a
 * plot of the last.
 */
function flippedTables(
  title: string,
  shape: Omit<FeatureWorldOptions, 'flipped' | 'seed'>,
  { steps, how }: { steps: readonly number[]; how(seed: number): Partial<Measuring> },
  plotted: { file: string; title: string; key: 'accuracy' | 'distance' } | null = null,
): void {
  const found = noisy.map(([, name, smoothing]) =>
    shares.map((flipped) =>
      seeds.map((seed) =>
        heldOutOfPaired(
          featureWorld({ ...shape, flipped, seed }),
          name,
          { beta: 0.5, labelSmoothing: smoothing(flipped) },
          { ...how(seed), at: steps },
        ),
      ),
    ),
  );
  const flipped = shares.map((share) => `${100 * share}%`);
  const of = (which: number, share: number, step: number, key: keyof HeldOut): number[] =>
    found[which]![share]!.map((one) => one[step]![key]);
  for (const [step, count] of steps.entries()) {
    const row = table(`${title}: held-out accuracy after ${count} steps`, [
      'objective',
      ...flipped,
    ]);
    noisy.forEach(([label], which) => {
      row(label, ...shares.map((_, share) => withInterval(of(which, share, step, 'accuracy'))));
    });
    noisy.slice(1).forEach(([label], at) => {
      const gains = shares.map((_, share) => {
        const plain = of(0, share, step, 'accuracy');
        return withInterval(
          of(at + 1, share, step, 'accuracy').map((one, seed) => one - plain[seed]!),
        );
      });
      row(`${label} minus DPO`, ...gains);
    });
  }
  if (plotted === null) return;
  const { file, key } = plotted;
  const last = steps.length - 1;
  if (key === 'distance') {
    const row = table(`${title}: total variation to the optimum after ${steps[last]} steps`, [
      'objective',
      ...flipped,
    ]);
    noisy.forEach(([label], which) => {
      row(label, ...shares.map((_, share) => withInterval(of(which, share, last, key))));
    });
  }
  const lines = noisy.map(([label], which) => ({
    label,
    values: shares.map((_, share) => mean(of(which, share, last, key))),
  }));
  // A guess is right half the time.
  const from = key === 'accuracy' ? 0.5 : 0;
  plot(file, { title: plotted.title, x: shares, scale: 'even', from, lines });
}

function unpaired(): void {
  const row = table(
    'Labels of single answers, 2,000 pairs, 20 features, b = 0.5, after 300 steps',
    [
      ...[
        'objective',
        'rows',
        'held-out accuracy',
        'expected reward',
        'KL',
        'total variation to the optimum',
      ],
    ],
  );
  const shape = {
    features: 20,
    pairs: 2000,
    spread: 2,
    labels: 'bradley_terry',
    flipped: 0,
  } as const;
  const beta = 0.5;
  const tell = (label: string, rows: string, measure: (seed: number) => HeldOut): void => {
    const found = seeds.map(measure);
    const of = (key: keyof HeldOut): string => withInterval(found.map((one) => one[key]));
    row(label, rows, of('accuracy'), of('reward'), of('kl'), of('distance'));
  };
  const worldOf = (seed: number) => featureWorld({ ...shape, seed });
  tell(
    'DPO',
    '2,000 pairs',
    (seed) => heldOutOfPaired(worldOf(seed), 'sigmoid', { beta }, { at: [300] })[0]!,
  );
  tell(
    'DPO',
    '1,000 pairs',
    (seed) =>
      heldOutOfPaired(
        featureWorld({ ...shape, pairs: 1000, seed }),
        'sigmoid',
        { beta },
        { at: [300] },
      )[0]!,
  );
  for (const name of ['kto', 'bco'] as const) {
    for (const rows of ['both', 'one'] as const) {
      const text = rows === 'both' ? '4,000 answers' : '2,000 answers, one per prompt';
      tell(
        `\`${name}\``,
        text,
        (seed) => heldOutOfUnpaired(worldOf(seed), name, { beta, rows }, { at: [300] })[0]!,
      );
    }
  }
}

for (const experiment of [optimum, certainty, noise, unpaired]) {
  if (options.only === undefined || options.only === experiment.name) experiment();
}
