// A chart with its title, what it means, the values at the cursor, and files of it.
import {
  ActionIcon,
  Box,
  Card,
  Group,
  Menu,
  Modal,
  Stack,
  Table,
  Text,
  Title,
  Tooltip,
  useComputedColorScheme,
} from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconDots, IconInfoCircle } from '@tabler/icons-react';
import { useMemo, useRef, useState } from 'react';
import type UPlot from 'uplot';
import { numberText, shareText } from '../numbers.ts';
import type { Range, Series } from '../use-runs.ts';
import { colourOf, dashOf } from './colours.ts';
import { type CsvColumn, csvOf, fileName, pngOf, save } from './download.ts';
import { type DrawnLine, Plot } from './plot.tsx';
import { type Smoothing, smooth, smoothings } from './smooth.ts';

/** A line of a chart, before it is smoothed. */
export interface ChartCurve {
  label: string;
  heldOut: boolean;
  series: Series;
  /** Place among the colours. */
  colour: number;
}

/** How all charts of a page are shown. */
export interface ChartView {
  smoothing: Smoothing;
  logarithmic: boolean;
  range: Range;
}

/**
 * @param all reads every point of the lines, for a file
 */
export function ChartCard({
  title,
  note,
  share,
  curves,
  view,
  onRange,
  all,
}: {
  title: string;
  note: string;
  share: boolean;
  curves: readonly ChartCurve[];
  view: ChartView;
  onRange: (range: Range) => void;
  all: () => Promise<CsvColumn[]>;
}) {
  const isDark = useComputedColorScheme('light') === 'dark';
  const [cursor, setCursor] = useState<number | null>(null);
  const [isTable, setTable] = useState(false);
  const plot = useRef<UPlot | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const show = share ? shareText : numberText;
  const { logarithmic, smoothing, range } = view;
  const canBeLogarithmic = curves.every(({ series }) => series.values.every((one) => one > 0));
  const lines = useMemo(
    () => curves.flatMap((curve) => drawn(curve, smoothing, isDark)),
    [curves, smoothing, isDark],
  );
  const marks = curves.flatMap(({ series }) => series.nonFinite.map(({ step }) => step));
  const label = `${title}. ${curves.map((one) => described(one, show)).join('. ')}`;

  const saveCsv = () =>
    attempt(async () =>
      save(new Blob([csvOf(await all())], { type: 'text/csv' }), fileName(title, 'csv')),
    );
  const savePng = () =>
    attempt(async () => {
      const style = getComputedStyle(box.current!);
      const names = curves.map((one) => ({
        label: one.label,
        colour: colourOf(one.colour, isDark),
      }));
      const colours = { background: style.backgroundColor, text: style.color };
      const canvas = plot.current!.ctx.canvas;
      save(await pngOf(canvas, title, names, colours), fileName(title, 'png'));
    });

  return (
    <Card withBorder padding="sm" ref={box} component="section" aria-label={title}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Group gap={6} wrap="nowrap" miw={0} style={{ overflow: 'hidden' }}>
          <Title
            order={3}
            size="h5"
            lineClamp={1}
            miw={0}
            style={{ overflowWrap: 'anywhere', wordBreak: 'break-all' }}
          >
            {title}
          </Title>
          {note !== '' && (
            <Tooltip
              label={note}
              multiline
              w={300}
              events={{ hover: true, focus: true, touch: true }}
            >
              <ActionIcon
                variant="subtle"
                color="gray"
                size="sm"
                aria-label={`About ${title}: ${note}`}
              >
                <IconInfoCircle size={16} />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
        <Menu position="bottom-end" width={190}>
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={`Files and values of ${title}`}>
              <IconDots size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => void saveCsv()}>Save as CSV</Menu.Item>
            <Menu.Item onClick={() => void savePng()}>Save as PNG</Menu.Item>
            <Menu.Item onClick={() => setTable(true)}>Show the values</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
      <Group gap="md" mih={22} mb={4} aria-hidden="true">
        {curves.map((one) => (
          <Text
            key={`${one.label} ${one.series.name}`}
            size="xs"
            className="numeric"
            component="span"
          >
            <span
              className={one.heldOut ? 'key held' : 'key'}
              style={{ borderColor: colourOf(one.colour, isDark) }}
            />{' '}
            {one.label} <b>{show(valueAt(one.series, cursor))}</b>
          </Text>
        ))}
        {cursor !== null && (
          <Text size="xs" c="dimmed" component="span">
            step {cursor}
          </Text>
        )}
      </Group>
      <Plot
        lines={lines}
        share={share}
        logarithmic={logarithmic && canBeLogarithmic}
        range={range}
        marks={marks}
        label={label}
        onCursor={setCursor}
        onRange={onRange}
        plot={plot}
      />
      {marks.length > 0 && (
        <Group gap={4} wrap="nowrap">
          <IconAlertTriangle size={14} color="#e03131" style={{ flexShrink: 0 }} />
          <Text size="xs">{nonFiniteText(curves)}</Text>
        </Group>
      )}
      {logarithmic && !canBeLogarithmic && (
        <Text size="xs" c="dimmed">
          Linear: some values are not above 0.
        </Text>
      )}
      <Modal opened={isTable} onClose={() => setTable(false)} title={title} size="lg">
        <ValuesTable curves={curves} show={show} />
      </Modal>
    </Card>
  );
}

/** Does something whose failure the person is told. */
async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    notifications.show({ color: 'red', title: 'The file was not saved', message: String(error) });
  }
}

function drawn(curve: ChartCurve, smoothing: Smoothing, isDark: boolean): DrawnLine[] {
  const { label, heldOut, series } = curve;
  const { steps, values } = series;
  const look = {
    label,
    heldOut,
    colour: colourOf(curve.colour, isDark),
    dash: dashOf(curve.colour),
    lone: values.length === 1,
  };
  const weight = smoothings[smoothing];
  if (weight === 0 || heldOut || values.length < 3) return [{ ...look, steps, values }];
  return [
    { ...look, steps, values, faint: true },
    { ...look, steps, values: smooth(values, weight) },
  ];
}

/** The value at a step, or the last one before it; without a step, the last of all. */
function valueAt({ steps, values }: Series, step: number | null): number {
  if (step === null) return values.at(-1) ?? Number.NaN;
  const at = steps.findLastIndex((one) => one <= step);
  return at < 0 ? Number.NaN : values[at]!;
}

function described({ label, series }: ChartCurve, show: (value: number) => string): string {
  const { steps, values } = series;
  if (values.length === 0) return `${label}: no finite values`;
  return `${label}: ${show(values[0]!)} at step ${steps[0]}, ${show(values.at(-1)!)} at step ${steps.at(-1)}`;
}

function nonFiniteText(curves: readonly ChartCurve[]): string {
  const parts = curves.flatMap(({ label, series }) => {
    if (series.nonFinite.length === 0) return [];
    const shown = series.nonFinite.slice(0, 4).map(({ step, value }) => `${value} at step ${step}`);
    const more = series.nonFinite.length > shown.length ? ', …' : '';
    return [`${label}: ${shown.join(', ')}${more}`];
  });
  return `Not finite: ${parts.join('; ')}`;
}

/** Most rows of a table of values. */
const MOST_ROWS = 200;

function ValuesTable({
  curves,
  show,
}: {
  curves: readonly ChartCurve[];
  show: (value: number) => string;
}) {
  const steps = [...new Set(curves.flatMap(({ series }) => series.steps))].sort((a, b) => a - b);
  const stride = Math.ceil(steps.length / MOST_ROWS);
  const shown = steps.filter((_, at) => at % stride === 0 || at === steps.length - 1);
  return (
    <Stack gap="xs">
      {stride > 1 && (
        <Text size="sm" c="dimmed">
          Every {stride}th of {steps.length} steps. Save the chart as CSV for all values.
        </Text>
      )}
      <Box className="scroll-x">
        <Table stickyHeader className="numeric">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Step</Table.Th>
              {curves.map(({ label, series }) => (
                <Table.Th key={`${label} ${series.name}`}>{label}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((step) => (
              <Table.Tr key={step}>
                <Table.Td>{step}</Table.Td>
                {curves.map(({ label, series }) => {
                  const at = series.steps.indexOf(step);
                  return (
                    <Table.Td key={`${label} ${series.name}`}>
                      {at < 0 ? '' : show(series.values[at]!)}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Box>
    </Stack>
  );
}
