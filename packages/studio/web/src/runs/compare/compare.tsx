// Runs side by side: their options, numbers and curves. The address holds which.
import {
  Accordion,
  ActionIcon,
  Badge,
  Box,
  Button,
  CopyButton,
  Group,
  MultiSelect,
  Paper,
  SimpleGrid,
  Skeleton,
  Stack,
  Table,
  Text,
  Title,
  useComputedColorScheme,
  VisuallyHidden,
} from '@mantine/core';
import { IconLink, IconScale, IconX } from '@tabler/icons-react';
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { answerOf, api } from '../../api.ts';
import { EmptyState } from '../../shell/empty-state.tsx';
import { Failure } from '../../shell/failure.tsx';
import { PageHeader } from '../../shell/page-header.tsx';
import { counted } from '../../shell/words.ts';
import { ChartCard, type ChartCurve, type ChartView } from '../charts/chart-card.tsx';
import { colourOf } from '../charts/colours.ts';
import { ChartToolbar } from '../charts/toolbar.tsx';
import { numberText, valueText } from '../numbers.ts';
import { ResultsTab } from '../results/results-tab.tsx';
import { headlineText } from '../run/headlines.tsx';
import { StateBadge } from '../state-badge.tsx';
import {
  allSeries,
  type Comparison,
  type RunChart,
  runPath,
  type Series,
  seriesQuery,
  useRuns,
} from '../use-runs.ts';

export function Compare() {
  const [search, setSearch] = useSearchParams();
  const ids = useMemo(() => [...new Set(search.getAll('run'))], [search]);
  const runs = useRuns();
  const setIds = (next: readonly string[]): void =>
    setSearch(
      next.map((id) => ['run', id]),
      { replace: true },
    );
  const comparison = useQuery({
    queryKey: ['comparison', ids],
    queryFn: () => answerOf(api.runs.comparison.$get({ query: { run: ids } })),
    placeholderData: keepPreviousData,
    enabled: ids.length > 0,
  });
  return (
    <>
      <PageHeader
        title="Compare runs"
        actions={
          <CopyButton value={window.location.href}>
            {({ copied, copy }) => (
              <Button variant="default" leftSection={<IconLink size={18} />} onClick={copy}>
                {copied ? 'Copied' : 'Copy the link'}
              </Button>
            )}
          </CopyButton>
        }
      >
        The address of this page holds the selection: share it with people of this Studio.
      </PageHeader>
      <MultiSelect
        label="Runs"
        placeholder={ids.length === 0 ? 'Choose runs' : undefined}
        data={[...new Set([...ids, ...(runs.data?.runs.map(({ id }) => id) ?? [])])]}
        value={ids}
        onChange={setIds}
        searchable
        clearable
        limit={100}
        mb="md"
        comboboxProps={{ withinPortal: true }}
      />
      {ids.length === 0 ? (
        <EmptyState title="Choose runs to compare" icon={<IconScale size={40} stroke={1.4} />}>
          Choose them above, or mark them in the list of runs.
        </EmptyState>
      ) : comparison.isError ? (
        <Failure error={comparison.error} retry={() => void comparison.refetch()} />
      ) : comparison.data === undefined ? (
        <Skeleton h={400} />
      ) : (
        <Side
          comparison={comparison.data}
          remove={(id) => setIds(ids.filter((one) => one !== id))}
        />
      )}
    </>
  );
}

function Side({ comparison, remove }: { comparison: Comparison; remove: (id: string) => void }) {
  return (
    <Stack gap="xl">
      <Summary comparison={comparison} remove={remove} />
      <Options comparison={comparison} />
      <Curves comparison={comparison} />
      {comparison.results.map(
        (results, at) =>
          results !== null && (
            <Stack key={comparison.runs[at]!.id}>
              <Title order={2} size="h4">
                {comparison.runs[at]!.id}
              </Title>
              <ResultsTab run={{ results, gates: comparison.gates[at]! }} />
            </Stack>
          ),
      )}
    </Stack>
  );
}

/** The head of a run's column or row: its colour and name. */
function RunName({ id, at }: { id: string; at: number }) {
  const isDark = useComputedColorScheme('light') === 'dark';
  return (
    <Group gap={6} wrap="nowrap" miw={150}>
      <span className="key" style={{ borderColor: colourOf(at, isDark), flexShrink: 0 }} />
      <Text
        component={Link}
        href={runPath(id)}
        size="sm"
        fw={600}
        c="bright"
        style={{ overflowWrap: 'anywhere' }}
      >
        {id}
      </Text>
    </Group>
  );
}

function Summary({ comparison, remove }: { comparison: Comparison; remove: (id: string) => void }) {
  const { runs, headlines, gates } = comparison;
  const labels = [...new Set(headlines.flatMap((own) => own.map(({ label }) => label)))];
  return (
    <Paper withBorder className="scroll-x" component="section" aria-label="Results">
      <Table verticalSpacing="sm" className="numeric">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Run</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Method</Table.Th>
            <Table.Th>Step</Table.Th>
            {labels.map((label) => (
              <Table.Th key={label}>{label}</Table.Th>
            ))}
            <Table.Th>Latest number</Table.Th>
            <Table.Th>
              <VisuallyHidden>Remove</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.map((run, at) => (
            <Table.Tr key={run.id}>
              <Table.Td>
                <RunName id={run.id} at={at} />
              </Table.Td>
              <Table.Td>
                <StateBadge state={run.state} />
              </Table.Td>
              <Table.Td>{run.verb ?? run.kind}</Table.Td>
              <Table.Td>
                {run.step?.toLocaleString('en') ?? ''}
                {run.total !== null && ` of ${run.total.toLocaleString('en')}`}
              </Table.Td>
              {labels.map((label) => {
                const found = headlines[at]!.find((one) => one.label === label);
                return (
                  <Table.Td key={label}>
                    {found === undefined ? (
                      '–'
                    ) : (
                      <>
                        {found.before !== null && (
                          <Text span size="sm" c="dimmed">
                            {headlineText(found, found.before)} →{' '}
                          </Text>
                        )}
                        <b>{headlineText(found, found.after)}</b>
                      </>
                    )}
                  </Table.Td>
                );
              })}
              <Table.Td>
                {run.number !== null && (
                  <>
                    <b>{numberText(run.number.value)}</b>{' '}
                    <Text span size="xs" c="dimmed">
                      {run.number.name}
                    </Text>
                  </>
                )}
                {gates[at]!.map(({ name, passed }) => (
                  <Badge
                    key={name}
                    ml={6}
                    variant="light"
                    color={passed ? 'green' : 'red'}
                    c="bright"
                    tt="none"
                  >
                    {name} {passed ? 'passed' : 'failed'}
                  </Badge>
                ))}
              </Table.Td>
              <Table.Td>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={`Remove ${run.id}`}
                  onClick={() => remove(run.id)}
                >
                  <IconX size={16} />
                </ActionIcon>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}

function Options({ comparison }: { comparison: Comparison }) {
  const { runs, options } = comparison;
  if (runs.length < 2) return null;
  const differing = options.filter(({ missing }) => !missing);
  const missing = options.filter((option) => option.missing);
  return (
    <Box component="section" aria-label="Options that differ">
      <Title order={2} size="h4" mb="xs">
        Options that differ
      </Title>
      {differing.length === 0 ? (
        <Text c="dimmed">Where these runs have the same options, the values are the same.</Text>
      ) : (
        <OptionTable runs={runs} options={differing} />
      )}
      {comparison.datesLeftOut && (
        <Text size="xs" c="dimmed" mt={6}>
          The date of the chat template, template_date, is not listed: no run recorded that its
          template prints it.
        </Text>
      )}
      {missing.length > 0 && (
        <Accordion mt="sm" variant="contained">
          <Accordion.Item value="missing">
            <Accordion.Control>
              {counted(missing.length, 'option')} that only some of the runs have
            </Accordion.Control>
            <Accordion.Panel>
              <OptionTable runs={runs} options={missing} />
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
      )}
    </Box>
  );
}

const OptionTable = ({
  runs,
  options,
}: {
  runs: Comparison['runs'];
  options: Comparison['options'];
}) => (
  <Paper withBorder className="scroll-x">
    <Table className="numeric">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Option</Table.Th>
          {runs.map(({ id }, at) => (
            <Table.Th key={id}>
              <RunName id={id} at={at} />
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {options.map(({ key, group, values }) => (
          <Table.Tr key={key}>
            <Table.Th scope="row" fw={500}>
              {key}
              {group !== null && (
                <Text size="xs" c="dimmed" fw={400}>
                  {group}
                </Text>
              )}
            </Table.Th>
            {values.map((value, at) => (
              <Table.Td key={runs[at]!.id} style={{ overflowWrap: 'anywhere' }}>
                {valueText(value)}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  </Paper>
);

/** More charts come when they are asked for: each is drawn for every run. */
const CHARTS = 12;

function Curves({ comparison }: { comparison: Comparison }) {
  const { runs, charts } = comparison;
  const [view, setView] = useState<ChartView>({
    ...{ smoothing: 'none', logarithmic: false, range: null },
  });
  const [filter, setFilter] = useState('');
  const [most, setMost] = useState(CHARTS);
  const text = filter.trim().toLowerCase();
  const metrics = charts
    .flatMap((chart) => chart.lines.map((line) => ({ chart, line })))
    .filter(({ chart, line }) => `${chart.title} ${line.name}`.toLowerCase().includes(text));
  const shown = metrics.slice(0, most);
  const names = [...new Set(shown.map(({ line }) => line.name))].sort();
  const series = useQueries({
    queries: runs.map(({ id }) => seriesQuery(id, names, view.range)),
  });
  if (charts.length === 0) {
    return <Text c="dimmed">None of these runs has numbers of steps.</Text>;
  }
  const failed = series.find((one) => one.isError);
  return (
    <Box component="section" aria-label="Curves">
      <Title order={2} size="h4" mb="xs">
        Curves
      </Title>
      <ChartToolbar view={view} onView={setView} filter={filter} onFilter={setFilter} />
      {failed?.error && <Failure error={failed.error} />}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        {shown.map(({ chart, line }) => (
          <MetricCard
            key={line.name}
            {...{ chart, line, runs, view, setView }}
            series={series.map(({ data }) => data?.find(({ name }) => name === line.name))}
          />
        ))}
      </SimpleGrid>
      {metrics.length > most && (
        <Button variant="default" mt="md" fullWidth onClick={() => setMost(most + CHARTS)}>
          Show {counted(Math.min(CHARTS, metrics.length - most), 'more chart')}
        </Button>
      )}
    </Box>
  );
}

function MetricCard({
  chart,
  line,
  runs,
  series,
  view,
  setView,
}: {
  chart: RunChart;
  line: RunChart['lines'][number];
  runs: Comparison['runs'];
  series: readonly (Series | undefined)[];
  view: ChartView;
  setView: (view: ChartView) => void;
}) {
  const curves = series.flatMap((one, colour): ChartCurve[] =>
    one === undefined
      ? []
      : [{ label: runs[colour]!.id, heldOut: line.heldOut, series: one, colour }],
  );
  if (curves.length === 0) return null;
  const title = chart.lines.length > 1 ? `${chart.title}: ${line.label}` : chart.title;
  const all = async () => {
    const found = await Promise.all(runs.map(({ id }) => allSeries(id, [line.name])));
    return found.flatMap(([own], at) =>
      own === undefined ? [] : [{ ...own, name: runs[at]!.id }],
    );
  };
  return (
    <ChartCard
      {...{ title, note: chart.note, share: chart.share, curves, view, all }}
      onRange={(range) => setView({ ...view, range })}
    />
  );
}
