// A run, also while it trains.
import {
  Alert,
  Anchor,
  Badge,
  Box,
  Breadcrumbs,
  Button,
  Card,
  Code,
  Group,
  Progress,
  Skeleton,
  Stack,
  Tabs,
  Text,
  VisuallyHidden,
} from '@mantine/core';
import { IconExternalLink, IconGitBranch, IconScale } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense } from 'react';
import { Link, Redirect, useSearchParams } from 'wouter';
import { ApiFailure, answerOf, api } from '../../api.ts';
import { EmptyState } from '../../shell/empty-state.tsx';
import { Failure } from '../../shell/failure.tsx';
import { PageHeader } from '../../shell/page-header.tsx';
import { agoText, timeText } from '../../shell/words.ts';
import { stageOrder } from '../list/order.ts';
import { RunTable } from '../list/run-table.tsx';
import { durationText } from '../numbers.ts';
import { StateBadge } from '../state-badge.tsx';
import {
  comparePath,
  isOfOtherTrainer,
  nameOf,
  type RunDetails,
  runPath,
  useRun,
  useRuns,
} from '../use-runs.ts';
import { Alarms } from './alarms.tsx';
import { AnswersTab } from './answers-tab.tsx';
import { ChartsTab } from './charts-tab.tsx';
import { Controls } from './controls.tsx';
import { Headlines } from './headlines.tsx';
import { LineageTab } from './lineage.tsx';
import { OptionsTab } from './options-tab.tsx';

const ResultsTab = lazy(async () => ({
  default: (await import('../results/results-tab.tsx')).ResultsTab,
}));

const SamplesTab = lazy(async () => ({
  default: (await import('../samples/samples-tab.tsx')).SamplesTab,
}));

export function Run({ id }: { id: string }) {
  const run = useRun(id);
  if (run.isError && run.error instanceof ApiFailure && run.error.status === 404) {
    return (
      <EmptyState
        title="There is no such run"
        action={
          <Button component={Link} href="/runs" variant="light">
            All runs
          </Button>
        }
      >
        {run.error.message}.
      </EmptyState>
    );
  }
  if (run.isError) return <Failure error={run.error} retry={() => void run.refetch()} />;
  if (run.data === undefined) return <Skeleton h={400} />;
  // Events are part of the run of the folder that their trainer writes checkpoints to.
  if (run.data.id !== id) return <Redirect to={runPath(run.data.id)} replace />;
  return <Loaded run={run.data} />;
}

interface Tab {
  value: string;
  label: string;
  content: () => ReactNode;
}

/** What a run has to show, the most telling first. */
function tabsOf(run: RunDetails): Tab[] {
  const isMeasured = run.results !== null || run.gates.length > 0;
  const isTraining = ['training', 'trainer', 'tensorboard'].includes(run.kind);
  const label = ['recipe', 'comparison', 'lab'].includes(run.kind) ? 'Stages' : 'Runs inside';
  const stages =
    run.stages.length > 0
      ? [{ value: 'stages', label, content: () => <StagesTab run={run} /> }]
      : [];
  const results = isMeasured
    ? [{ value: 'results', label: 'Results', content: () => <ResultsTab run={run} /> }]
    : [];
  return [
    ...(run.kind === 'recipe' || run.results === null
      ? [...stages, ...results]
      : [...results, ...stages]),
    ...(isTraining
      ? [
          { value: 'charts', label: 'Charts', content: () => <ChartsTab run={run} /> },
          {
            value: 'samples',
            label: run.samples > 0 ? `Samples (${run.samples.toLocaleString('en')})` : 'Samples',
            content: () => <SamplesTab run={run} />,
          },
          ...(isOfOtherTrainer(run)
            ? []
            : [{ value: 'answers', label: 'Answers', content: () => <AnswersTab run={run.id} /> }]),
        ]
      : []),
    { value: 'lineage', label: 'Lineage', content: () => <LineageTab run={run} /> },
    ...(isTraining || run.config !== null
      ? [{ value: 'options', label: 'Options', content: () => <OptionsTab run={run} /> }]
      : []),
    ...(isOfOtherTrainer(run)
      ? []
      : [{ value: 'report', label: 'Report', content: () => <ReportTab run={run} /> }]),
    { value: 'machine', label: 'Machine', content: () => <MachineTab run={run} /> },
  ];
}

function Loaded({ run }: { run: RunDetails }) {
  const [search, setSearch] = useSearchParams();
  const tabs = tabsOf(run);
  const asked = search.get('tab');
  const tab = tabs.some(({ value }) => value === asked) ? asked! : tabs[0]!.value;
  const { name } = nameOf(run.id);
  return (
    <>
      <Path id={run.id} />
      <PageHeader
        title={name}
        actions={
          <>
            <Button
              component={Link}
              href={comparePath([run.id])}
              variant="default"
              leftSection={<IconScale size={18} />}
            >
              Compare
            </Button>
            <Controls run={run} />
          </>
        }
      />
      <Facts run={run} />
      {run.message !== null && (
        <Alert color="red" title="The run failed" mb="md">
          <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {run.message}
          </Text>
        </Alert>
      )}
      {run.resumed !== null && !run.resumed.running && run.resumed.exitCode !== 0 && (
        <Alert color="red" title="The process that resumed it failed" mb="md">
          <Output id={run.id} />
        </Alert>
      )}
      {run.faults.length > 0 && (
        <Alert color="yellow" title="Some of its files are damaged" mb="md">
          {run.faults.slice(0, 5).map((fault) => (
            <Text key={fault} size="sm">
              {fault}
            </Text>
          ))}
          {run.faults.length > 5 && <Text size="sm">{run.faults.length - 5} more.</Text>}
        </Alert>
      )}
      <Headlines headlines={run.headlines} />
      <Alarms notices={run.notices} />
      <Tabs
        value={tab}
        onChange={(next) => setSearch({ tab: next! }, { replace: true })}
        keepMounted={false}
      >
        <Tabs.List mb="md" style={{ flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }}>
          {tabs.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map(({ value, label, content }) => (
          <Tabs.Panel key={value} value={value}>
            <VisuallyHidden component="h2">{label}</VisuallyHidden>
            <Suspense fallback={<Skeleton h={300} />}>{value === tab && content()}</Suspense>
          </Tabs.Panel>
        ))}
      </Tabs>
    </>
  );
}

/** The folders of a run, those that are runs as links. */
function Path({ id }: { id: string }) {
  const runs = useRuns();
  const names = id.split('/');
  return (
    <Breadcrumbs mb={4} style={{ flexWrap: 'wrap' }}>
      <Anchor component={Link} href="/runs" size="sm">
        Runs
      </Anchor>
      {names.slice(0, -1).map((name, at) => {
        const above = names.slice(0, at + 1).join('/');
        return runs.data?.runs.some((one) => one.id === above) ? (
          <Anchor key={above} component={Link} href={runPath(above)} size="sm">
            {name}
          </Anchor>
        ) : (
          <Text key={above} size="sm" c="dimmed">
            {name}
          </Text>
        );
      })}
    </Breadcrumbs>
  );
}

const unitLabels = { verdict: 'Verdicts', stage: 'Stages', step: 'Step' } as const;

function Facts({ run }: { run: RunDetails }) {
  const { step, total, secondsLeft, stages } = run;
  const share = step !== null && total ? Math.min(1, step / total) : null;
  const isTraining = run.kind === 'training' || isOfOtherTrainer(run);
  const unit =
    run.kind === 'judging' ? 'verdict' : stages.length > 0 && !isTraining ? 'stage' : 'step';
  return (
    <Card withBorder padding="sm" mb="md">
      <Group gap="lg" style={{ rowGap: 8 }}>
        <StateBadge state={run.state} />
        {run.verb !== null && (
          <Badge variant="default" tt="none">
            {run.verb}
          </Badge>
        )}
        {run.model !== null && <Fact label="Model">{run.model}</Fact>}
        {step !== null && (
          <Fact label={unitLabels[unit]}>
            <span className="numeric">
              {step.toLocaleString('en')}
              {total !== null && ` of ${total.toLocaleString('en')}`}
            </span>
          </Fact>
        )}
        {secondsLeft !== null && <Fact label="Left">about {durationText(secondsLeft)}</Fact>}
        {run.started !== null && <Fact label="Started">{timeText(run.started)}</Fact>}
        {run.updated !== null && <Fact label="Written">{agoText(run.updated)}</Fact>}
        {run.checkpoints.length > 0 && (
          <Fact label="Checkpoints">
            {run.checkpoints
              .map(({ step: at, best }) => `${at.toLocaleString('en')}${best ? ' (best)' : ''}`)
              .join(', ')}
          </Fact>
        )}
        {run.git !== null && (
          <Fact label={<IconGitBranch size={14} aria-label="Git commit" />}>
            <Code>{run.git.commit.slice(0, 10)}</Code>
            {run.git.dirty && ' with changes'}
          </Fact>
        )}
      </Group>
      {share !== null && (
        <Progress
          value={100 * share}
          mt="sm"
          color={run.state === 'failed' ? 'red' : run.state === 'finished' ? 'green' : undefined}
          animated={run.state === 'running'}
          aria-label={`${step} of ${total} ${unit}s`}
        />
      )}
    </Card>
  );
}

const Fact = ({ label, children }: { label: ReactNode; children: ReactNode }) => (
  <Group gap={6} wrap="nowrap">
    <Text size="sm" c="dimmed" component="span" lh={1}>
      {label}
    </Text>
    <Text size="sm" component="span" style={{ overflowWrap: 'anywhere' }}>
      {children}
    </Text>
  </Group>
);

function StagesTab({ run }: { run: RunDetails }) {
  const runs = useRuns();
  const stages = runs.data?.runs.filter(({ id }) => run.stages.includes(id)) ?? [];
  return <RunTable runs={stages.toSorted(stageOrder)} all={runs.data?.runs ?? []} chosen={null} />;
}

function ReportTab({ run }: { run: RunDetails }) {
  if (!run.hasReport) {
    return (
      <EmptyState title="No report yet">
        A run writes its report at its end{run.state === 'interrupted' ? '. Resume it first' : ''}.
      </EmptyState>
    );
  }
  const path = run.id === '.' ? '' : `${run.id.split('/').map(encodeURIComponent).join('/')}/`;
  const address = `/api/runs/reports/${path}report.html`;
  return (
    <Stack gap="xs">
      <Group justify="flex-end">
        <Anchor href={address} target="_blank" rel="noreferrer" size="sm">
          Open by itself <IconExternalLink size={14} style={{ verticalAlign: 'middle' }} />
        </Anchor>
      </Group>
      <iframe
        className="report"
        title={`Report of ${run.id}`}
        src={address}
        sandbox="allow-scripts allow-popups"
      />
    </Stack>
  );
}

function MachineTab({ run }: { run: RunDetails }) {
  const facts = Object.entries(run.environment ?? {});
  return (
    <Stack>
      <Fact label="Folder">
        <Code>{run.path}</Code>
      </Fact>
      {run.resume.command !== null && (
        <Fact label="Resume with">
          <Code>{run.resume.command}</Code>
        </Fact>
      )}
      {facts.length === 0 ? (
        <Text c="dimmed">Nothing recorded the machine of this run.</Text>
      ) : (
        <Box component="dl" m={0}>
          {facts.map(([name, value]) => (
            <Group key={name} align="flex-start" gap="md" wrap="nowrap" mb={6}>
              <Text component="dt" size="sm" c="dimmed" w={130} style={{ flexShrink: 0 }}>
                {name}
              </Text>
              <Text component="dd" m={0} size="sm" style={{ overflowWrap: 'anywhere' }}>
                {typeof value === 'string' ? value : JSON.stringify(value)}
              </Text>
            </Group>
          ))}
        </Box>
      )}
      <Output id={run.id} />
    </Stack>
  );
}

/** The end of what a process printed that the Studio started. */
function Output({ id }: { id: string }) {
  const output = useQuery({
    queryKey: ['run', id, 'output'],
    queryFn: () => answerOf(api.runs.output.$get({ query: { run: id } })),
  });
  const text = output.data?.text.trim() ?? '';
  if (text === '') return null;
  return (
    <Box>
      <Text size="sm" c="dimmed" mb={4}>
        studio.log
      </Text>
      <Code block mah={300} style={{ overflow: 'auto' }} tabIndex={0}>
        {text}
      </Code>
    </Box>
  );
}
