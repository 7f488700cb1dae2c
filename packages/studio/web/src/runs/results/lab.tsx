// What `keel overoptimise` found: proxy and gold against KL.
import { Stack, Table, Text, Title } from '@mantine/core';
import { Marked } from '../../content/marked.tsx';
import { numberText, shareText } from '../numbers.ts';
import type { FoundResults } from '../use-runs.ts';
import { Facts } from './facts.tsx';
import { IntervalTable } from './interval-table.tsx';
import { Scroll } from './scroll.tsx';
import { XyChart, type XyLine } from './xy-chart.tsx';

type Found = FoundResults<'lab'>;
type Curve = Found['curves'][number];
type Estimate = Curve['stopping']['gold'];

const methods = { 'best-of-n': 'Best of n', rl: 'RL' } as const;
const forms = { 'best-of-n': 'd(a − b d)', rl: 'd(a − b ln d)' } as const;

/** Points of a fitted curve. */
const SMOOTH = 60;

export function LabResults({ found }: { found: Found }) {
  const { curves, ensembles, agreements } = found;
  const names = [...new Set(curves.map(({ name }) => name))];
  return (
    <Stack gap="lg">
      {(['best-of-n', 'rl'] as const).map((method) => {
        const own = curves.filter((one) => one.method === method);
        return own.length === 0 ? null : (
          <XyChart
            key={method}
            title={`${methods[method]}: proxy and gold against KL`}
            note={`Points: gold with its 95% interval. Lines: the fit ${forms[method]}, where d is the root of the KL. Dashed: the proxy that is optimised.`}
            across="root of the KL to the initial policy, in nats"
            up="rise, in standard deviations"
            include={{ x: [0], y: [0] }}
            lines={own.flatMap((curve) => linesOf(curve, names.indexOf(curve.name)))}
          />
        );
      })}
      <Peaks curves={curves} />
      <Fits curves={curves} />
      {ensembles.length > 0 && (
        <IntervalTable
          title="What ensembles change"
          note="Gold of the ensemble minus gold of the proxies that it consists of, on the same prompts, at the last points."
          first="Ensemble"
          line={0}
          columns={['By', 'Where each is stopped']}
          rows={ensembles.map(({ name, against, method, last, stopped }) => ({
            ...{ name, about: `against ${against}`, ...last },
            cells: [methods[method], estimateText(stopped)],
          }))}
        />
      )}
      {agreements.length > 0 && (
        <IntervalTable
          title="How well proxies know gold"
          note="Pairs of the initial policy's answers to a held-out prompt in which the proxy prefers what gold prefers."
          first="Proxy"
          share
          line={0.5}
          rows={agreements.map(({ name, agreement }) => ({ name, ...agreement }))}
        />
      )}
      <Facts
        title="The lab"
        facts={[
          ['Prompts', found.prompts.toLocaleString('en')],
          ['Numbers', found.exact ? 'exact: all answers are known' : 'estimates, over prompts'],
          ['Unit of gold', `${numberText(found.gold_unit)} of its own`],
        ]}
      />
    </Stack>
  );
}

function linesOf(curve: Curve, colour: number): XyLine[] {
  const { name, method, fit } = curve;
  const points = curve.points.toSorted((one, other) => one.d - other.d);
  const reach = points.at(-1)?.d ?? 0;
  const place = (at: number | null): string =>
    curve.counts === 'step' ? `step ${at}` : `${curve.counts} = ${at ?? '∞'}`;
  const smooth = Array.from({ length: SMOOTH + 1 }, (_, at) => (reach * at) / SMOOTH);
  return [
    {
      ...{ label: `${name}: gold`, colour, connected: fit === null },
      points: points.map(({ at, d, gold, kl }) => ({
        ...{ x: d, y: gold.value, interval: gold.interval },
        name: `${place(at)}, KL ${numberText(kl)}`,
      })),
    },
    ...(fit === null
      ? []
      : [
          {
            ...{ label: `${name}: fit`, colour, marked: false, named: false },
            points: smooth.map((d) => ({
              ...{ x: d, y: fitted(method, fit, d), name: `d = ${numberText(d)}` },
            })),
          },
        ]),
    {
      ...{ label: `${name}: proxy`, colour, dashed: true, marked: false },
      points: points.map(({ at, d, proxy }) => ({ x: d, y: proxy.value, name: place(at) })),
    },
  ];
}

/** Gao et al.'s form of the method. */
const fitted = (
  method: Curve['method'],
  { alpha, beta }: { alpha: number; beta: number },
  d: number,
): number => (d === 0 ? 0 : d * (alpha - beta * (method === 'rl' ? Math.log(d) : d)));

const estimateText = ({ value, interval }: Estimate): string =>
  `${shown(value)}${interval === null ? '' : ` (${interval.map(shown).join(' to ')})`}`;

/** Sums of numbers that cancel each other leave a rest, which is no number to read. */
const shown = (value: number): string => numberText(Math.abs(value) < 1e-9 ? 0 : value);

const pointText = ({ counts }: Curve, at: number | null): string =>
  counts === 'step' ? `step ${at}` : `${counts} = ${at ?? '∞'}`;

function Peaks({ curves }: { curves: readonly Curve[] }) {
  return (
    <IntervalTable
      title="What stopping where gold is highest gains"
      note="Gold where it is highest minus gold at the last point."
      first="Optimised"
      line={0}
      columns={['Highest at', 'Gold there', 'Last point', 'Proxy at the last', 'Gold at the last']}
      rows={curves.flatMap((curve) => {
        const last = curve.points.at(-1);
        if (last === undefined) return [];
        const { name, method, stopping } = curve;
        return {
          ...{ name, about: methods[method], ...stopping.gain },
          cells: [
            `${pointText(curve, stopping.at)}, KL ${numberText(stopping.kl)}`,
            estimateText(stopping.gold),
            `${pointText(curve, last.at)}, KL ${numberText(last.kl)}`,
            numberText(last.proxy.value),
            estimateText(last.gold),
          ],
        };
      })}
    />
  );
}

function Fits({ curves }: { curves: readonly Curve[] }) {
  const fits = curves.flatMap(({ name, method, fit, residuals }) =>
    fit === null || residuals === null ? [] : [{ name, method, fit, residuals }],
  );
  if (fits.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        No curve has enough points above a KL of 0 for a fit.
      </Text>
    );
  }
  return (
    <section aria-label="Fitted curves">
      <Title order={3} size="h4" mb={4}>
        Fitted curves
      </Title>
      <Text size="sm" c="dimmed" mb="xs" maw={760}>
        Residuals are roots of mean squares. “Peak within” is the share of bootstrap resamples whose
        curve is highest within the measured KL.
      </Text>
      <Scroll label="Fitted curves">
        <Table className="numeric">
          <Table.Thead>
            <Table.Tr>
              {[
                ...['Optimised', 'Form', 'a', 'b', 'Peak at d', 'Gold there', 'Peak within'],
                ...['Residual', 'Other form', 'Straight line'],
              ].map((head) => (
                <Table.Th key={head}>{head}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {fits.map(({ name, method, fit, residuals }) => (
              <Table.Tr key={`${name} ${method}`}>
                <Table.Td>
                  <Marked text={name} />
                </Table.Td>
                <Table.Td>{forms[method]}</Table.Td>
                <Table.Td>
                  {estimateText({ value: fit.alpha, interval: fit.intervals?.alpha ?? null })}
                </Table.Td>
                <Table.Td>
                  {estimateText({ value: fit.beta, interval: fit.intervals?.beta ?? null })}
                </Table.Td>
                <Table.Td>{fit.peak === null ? 'none' : numberText(fit.peak.d)}</Table.Td>
                <Table.Td>{fit.peak === null ? '–' : numberText(fit.peak.reward)}</Table.Td>
                <Table.Td>{fit.peaks_within === null ? '–' : shareText(fit.peaks_within)}</Table.Td>
                {[fit.residual, residuals.other, residuals.straight].map((one, at) => (
                  <Table.Td key={at}>{numberText(one)}</Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Scroll>
    </section>
  );
}
