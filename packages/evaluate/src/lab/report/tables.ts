// The tables of a lab: curves, fits, ensembles and proxies. The first row has the headings.
import { formatShare } from '@keel/align/internal';
import type { AnalysedCurve, LabAnalysis } from '../curves/analyse.ts';
import { estimated, number, range, signedEstimate } from './numbers.ts';

/** Rows of cells; the first cell of each is its name. */
export type LabTable = readonly (readonly string[])[];

/** Of a heading whose numbers have intervals. */
const sure = (exact: boolean): string => (exact ? '' : ' (95%)');

const methodNames = { 'best-of-n': 'best of n', rl: 'RL' } as const;

/** `n = 16`, `step 24`, or `beta = 0.5` of a closed world. */
export const pointName = ({ counts }: Pick<AnalysedCurve, 'counts'>, at: number): string =>
  counts === 'step' ? `step ${at}` : `${counts} = ${Number.isFinite(at) ? at : '∞'}`;

/** Where gold is highest, and what it has lost at the end. */
const curveTable = ({ curves, exact }: LabAnalysis): LabTable => [
  [
    ...[
      'optimised',
      'by',
      'gold is highest at',
      'KL',
      `gold there${sure(exact)}`,
      'the last',
      'KL',
    ],
    ...['proxy', `gold${sure(exact)}`, `stopping gains${sure(exact)}`],
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
const fitTable = ({ curves, exact }: LabAnalysis): LabTable => [
  [
    ...[
      'optimised',
      'form',
      `a${sure(exact)}`,
      `b${sure(exact)}`,
      'peak: sqrt(KL)',
      'gold',
      'peak within',
    ],
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

const agreementTable = ({ agreements, exact }: LabAnalysis): LabTable => [
  ['proxy', `prefers what gold prefers${sure(exact)}`],
  ...agreements.map(({ name, agreement: { value, interval } }) => [
    name,
    `${formatShare(value)}${interval === null ? '' : ` (${interval.map(formatShare).join(' to ')})`}`,
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
