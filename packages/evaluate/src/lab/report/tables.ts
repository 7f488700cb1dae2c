// The tables of a lab: curves, fits, ensembles and proxies. The first row has the headings.
import { formatShare } from '@keel/align/internal';
import type { AnalysedCurve, LabAnalysis } from '../curves/analyse.ts';
import { estimated, number, range, signedEstimate } from './numbers.ts';

/** Rows of cells; the first cell of each is its name. */
export type LabTable = readonly (readonly string[])[];

const methodNames = { 'best-of-n': 'best of n', rl: 'RL' } as const;

/** `n = 16`, `step 24`, or `beta = 0.5` of a closed world. */
export const pointName = ({ counts }: Pick<AnalysedCurve, 'counts'>, at: number): string =>
  counts === 'step' ? `step ${at}` : `${counts} = ${at}`;

/** Where gold is highest, and what it has lost at the end. */
const curveTable = ({ curves }: LabAnalysis): LabTable => [
  [
    ...['optimised', 'by', 'gold is highest at', 'KL', 'gold there (95%)', 'the last', 'KL'],
    ...['proxy', 'gold (95%)', 'stopping gains (95%)'],
  ],
  ...curves.map((curve) => {
    const { name, method, points, stopping } = curve;
    const last = points.at(-1)!;
    return [
      ...[name, methodNames[method], pointName(curve, stopping.at), number(stopping.kl)],
      ...[estimated(stopping.gold), pointName(curve, last.at), number(last.kl)],
      ...[number(last.proxy.value), estimated(last.gold), signedEstimate(stopping.gain)],
    ];
  }),
];

/** Gao et al.'s form: alpha, beta, the peak, and how well it fits. */
const fitTable = ({ curves }: LabAnalysis): LabTable => [
  [
    ...['optimised', 'form', 'a (95%)', 'b (95%)', 'peak: sqrt(KL)', 'gold', 'peak within'],
    ...['residual', 'other form', 'straight line'],
  ],
  ...curves.flatMap(({ name, method, fit, residuals }) => {
    if (fit === null || residuals === null) return [];
    const { alpha, beta, intervals, peak, peaksWithin } = fit;
    const of = (value: number, which: 'alpha' | 'beta'): string =>
      `${number(value)}${intervals === null ? '' : ` (${range(intervals[which])})`}`;
    return [
      [
        ...[name, method === 'rl' ? 'd(a - b ln d)' : 'd(a - b d)'],
        ...[of(alpha, 'alpha'), of(beta, 'beta')],
        ...(peak === null ? ['none', '-'] : [number(peak.d), number(peak.reward)]),
        peaksWithin === null ? '-' : formatShare(Math.round(100 * peaksWithin) / 100),
        ...[fit.residual, residuals.other, residuals.straight].map((one) => one.toFixed(3)),
      ],
    ];
  }),
];

const ensembleTable = ({ ensembles }: LabAnalysis): LabTable => [
  ['ensemble', 'by', 'against', 'gold at the last (95%)', 'gold where stopped (95%)'],
  ...ensembles.map(({ name, method, against, last, stopped }) => [
    ...[name, methodNames[method], against, signedEstimate(last), signedEstimate(stopped)],
  ]),
];

const agreementTable = ({ agreements }: LabAnalysis): LabTable => [
  ['proxy', 'prefers what gold prefers (95%)'],
  ...agreements.map(({ name, agreement: { value, interval } }) => [
    name,
    `${formatShare(value)} (${interval.map(formatShare).join(' to ')})`,
  ]),
];

export interface TitledTable {
  title: string;
  /** How to read it. */
  lead: string | null;
  table: LabTable;
}

/** The tables that have rows. */
export const labTables = (analysis: LabAnalysis): TitledTable[] =>
  [
    {
      title: 'Where gold is highest, and where it ends',
      lead: null,
      table: curveTable(analysis),
    },
    {
      title: 'Fitted curves',
      lead: 'd is the root of the KL to the initial policy. Gao, Schulman and Hilton (2022) found d(a - b d) for best-of-n and d(a - b ln d) for RL. Residuals are roots of mean squares. "Peak within" is the share of bootstrap resamples whose curve is highest within the measured KL.',
      table: fitTable(analysis),
    },
    {
      title: 'What ensembles change',
      lead: 'Gold of the ensemble minus gold of the proxies that it consists of, on the same prompts.',
      table: ensembleTable(analysis),
    },
    {
      title: 'How well proxies know gold',
      lead: "Pairs of the initial policy's answers to a held-out prompt.",
      table: agreementTable(analysis),
    },
  ].filter(({ table }) => table.length > 1);
