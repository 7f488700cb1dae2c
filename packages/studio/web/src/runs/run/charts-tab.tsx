// All curves of a run.
import { Accordion, SimpleGrid, Skeleton, Text } from '@mantine/core';
import { IconChartLine } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { answerOf, api } from '../../api.ts';
import { EmptyState } from '../../shell/empty-state.tsx';
import { Failure } from '../../shell/failure.tsx';
import { counted } from '../../shell/words.ts';
import { ChartCard, type ChartView } from '../charts/chart-card.tsx';
import { RewardCurve } from '../charts/reward-curve.tsx';
import { ChartToolbar } from '../charts/toolbar.tsx';
import { allSeries, type RunChart, type RunDetails, type Series, useSeries } from '../use-runs.ts';

export function ChartsTab({ run }: { run: RunDetails }) {
  const [view, setView] = useState<ChartView>({
    ...{ smoothing: 'none', logarithmic: false, range: null },
  });
  const [filter, setFilter] = useState('');
  const names = useMemo(
    () => [...new Set(run.charts.flatMap(({ lines }) => lines.map(({ name }) => name)))].sort(),
    [run.charts],
  );
  const series = useSeries(run.id, names, view.range);
  const costs = useQuery({
    queryKey: ['run', run.id, 'costs'],
    queryFn: () => answerOf(api.runs['reward-costs'].$get({ query: { run: run.id } })),
    enabled: run.hasRewardCosts,
  });
  if (names.length === 0) {
    return (
      <EmptyState title="No numbers yet" icon={<IconChartLine size={40} stroke={1.4} />}>
        {run.kind === 'training'
          ? 'The first row comes with the first evaluation or step. This page shows it by itself.'
          : 'The numbers of this run are in its stages and its report.'}
      </EmptyState>
    );
  }
  if (series.isError) return <Failure error={series.error} retry={() => void series.refetch()} />;
  // All charts come together: one that came later would move the others.
  if (series.data === undefined || costs.isLoading) return <Skeleton h={300} />;
  const byName = new Map(series.data.map((one) => [one.name, one]));
  const text = filter.trim().toLowerCase();
  const isShown = ({ title, lines }: RunChart): boolean =>
    `${title} ${lines.map(({ name }) => name).join(' ')}`.toLowerCase().includes(text);
  const shown = run.charts.filter(isShown);
  const main = shown.filter((chart) => chart.main);
  const others = shown.filter((chart) => !chart.main);
  const card = (chart: RunChart) => (
    <RunChartCard key={chart.id} {...{ run, chart, byName, view, setView }} />
  );
  return (
    <>
      <ChartToolbar view={view} onView={setView} filter={filter} onFilter={setFilter} />
      {shown.length === 0 && <Text c="dimmed">No chart has “{filter}” in its name.</Text>}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        {costs.data !== undefined && text === '' && (
          <RewardCurve points={costs.data} isSummed={run.metrics.includes('objective/kl')} />
        )}
        {main.map(card)}
      </SimpleGrid>
      {others.length > 0 && text !== '' && (
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md" mt="md">
          {others.map(card)}
        </SimpleGrid>
      )}
      {others.length > 0 && text === '' && (
        <Accordion mt="lg" variant="contained">
          <Accordion.Item value="others">
            <Accordion.Control>{counted(others.length, 'more metric')}</Accordion.Control>
            <Accordion.Panel>
              <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
                {others.map(card)}
              </SimpleGrid>
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
      )}
    </>
  );
}

function RunChartCard({
  run,
  chart,
  byName,
  view,
  setView,
}: {
  run: RunDetails;
  chart: RunChart;
  byName: ReadonlyMap<string, Series>;
  view: ChartView;
  setView: (view: ChartView) => void;
}) {
  const curves = chart.lines.flatMap(({ name, label, heldOut }, colour) => {
    const series = byName.get(name);
    return series === undefined ? [] : [{ label, heldOut, series, colour }];
  });
  if (curves.length === 0) return null;
  return (
    <ChartCard
      title={chart.title}
      note={chart.note}
      share={chart.share}
      curves={curves}
      view={view}
      onRange={(range) => setView({ ...view, range })}
      all={() =>
        allSeries(
          run.id,
          chart.lines.map(({ name }) => name),
        )
      }
    />
  );
}
