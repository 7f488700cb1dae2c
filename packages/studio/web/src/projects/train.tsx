// The loop of labels, training and new answers, as rounds.
import {
  Alert,
  Badge,
  Button,
  Card,
  Group,
  NumberInput,
  Progress,
  SegmentedControl,
  SimpleGrid,
  Skeleton,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
  VisuallyHidden,
} from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { InferResponseType } from 'hono/client';
import { type FormEvent, useState } from 'react';
import { Link } from 'wouter';
import type { RoundOptions } from '../../../src/rounds/round-options.ts';
import { answerOf, api, queries } from '../api.ts';
import { Marked } from '../content/marked.tsx';
import { runPath } from '../runs/use-runs.ts';
import { Failure } from '../shell/failure.tsx';
import { agoText, counted, percent } from '../shell/words.ts';
import { isBusy, pollInterval } from './round-polling.ts';
import { useProject } from './use-projects.ts';

const key = (project: string) => ['rounds', project];

export default function Train({ project }: { project: string }) {
  const [startedAt, setStartedAt] = useState(Number.NEGATIVE_INFINITY);
  const onStarted = (): void => {
    setStartedAt(Date.now());
    void queries.invalidateQueries({ queryKey: key(project) });
  };
  const rounds = useQuery({
    queryKey: key(project),
    queryFn: () => answerOf(api.projects[':project'].rounds.$get({ param: { project } })),
    // A round that was just started or resumed is in no list of runs yet.
    refetchInterval: ({ state: { data } }) => pollInterval(data ?? [], startedAt, Date.now()),
  });
  if (rounds.isError) return <Failure error={rounds.error} />;
  if (rounds.isPending) return <Skeleton h={300} />;
  const isRunning = rounds.data.some(isBusy);
  return (
    <Stack gap="xl">
      <Text c="dimmed" maw={760}>
        A round trains a reward model on the labels so far, and a policy if you like. The new model
        then answers prompts of this project. The pairs that would teach the reward model most come
        back as tasks. A fifth of the prompts is held out in every round.
      </Text>
      {rounds.data.length > 0 && (
        <Table.ScrollContainer minWidth={720}>
          <Table verticalSpacing="sm" aria-label="Rounds">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Round</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th ta="right">Pairs</Table.Th>
                <Table.Th ta="right">Held-out accuracy</Table.Th>
                <Table.Th ta="right">New tasks</Table.Th>
                <Table.Th>Started</Table.Th>
                <Table.Th>
                  <VisuallyHidden>Links</VisuallyHidden>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rounds.data.map((round) => (
                <Table.Tr key={round.number}>
                  <Table.Td>
                    {round.number}, reward
                    {round.options.method !== 'none' && ` and ${round.options.method}`}
                  </Table.Td>
                  <Table.Td miw={180}>
                    <State project={project} round={round} onStarted={onStarted} />
                  </Table.Td>
                  <Table.Td ta="right">
                    {round.trainRows} + {round.heldOutRows} held out
                  </Table.Td>
                  <Table.Td ta="right">
                    {round.accuracy === null
                      ? '–'
                      : `${percent(round.accuracy.value)} (${percent(round.accuracy.interval[0])} to ${percent(round.accuracy.interval[1])})`}
                  </Table.Td>
                  <Table.Td ta="right">{round.newTasks ?? '–'}</Table.Td>
                  <Table.Td>{agoText(round.createdAt)}</Table.Td>
                  <Table.Td>
                    {!['starting', 'not started'].includes(round.state) && (
                      <Button
                        component={Link}
                        href={runPath(round.run)}
                        size="compact-sm"
                        variant="light"
                        aria-label={`Watch round ${round.number}`}
                      >
                        Watch
                      </Button>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Start
        project={project}
        isRunning={isRunning}
        isFirst={rounds.data.length === 0}
        onStarted={onStarted}
      />
    </Stack>
  );
}

type Round = InferResponseType<(typeof api.projects)[':project']['rounds']['$get'], 200>[number];

const colours: Record<string, string> = { finished: 'green', running: 'blue', failed: 'red' };

function State({
  project,
  round,
  onStarted,
}: {
  project: string;
  round: Round;
  onStarted: () => void;
}) {
  const { state, step, total, message, log, number } = round;
  const isRun = state !== 'not started';
  const resume = useMutation({
    mutationFn: async (): Promise<unknown> =>
      isRun
        ? answerOf(api.runs.resume.$post({ json: { run: round.run } }))
        : answerOf(
            api.projects[':project'].rounds[':number'].start.$post({
              param: { project, number: String(number) },
            }),
          ),
    onSuccess: onStarted,
  });
  const isStopped = ['interrupted', 'failed', 'not started'].includes(state);
  return (
    <Stack gap={4} align="flex-start">
      <Group gap="xs">
        <Badge color={colours[state] ?? 'gray'} variant="light" tt="none" fw={600} c="bright">
          {state === 'interrupted' ? 'stopped' : state}
        </Badge>
        {state === 'running' && total !== null && (
          <Text size="xs" c="dimmed">
            {counted(total - (step ?? 0), 'stage')} left
          </Text>
        )}
        {isStopped && (
          <Button
            size="compact-sm"
            variant="light"
            leftSection={<IconPlayerPlay size={14} />}
            loading={resume.isPending}
            onClick={() => resume.mutate()}
            aria-label={`${isRun ? 'Resume' : 'Start again'}: round ${number}`}
          >
            {isRun ? 'Resume' : 'Start again'}
          </Button>
        )}
      </Group>
      {state === 'running' && total !== null && (
        <Progress
          w="100%"
          value={(100 * (step ?? 0)) / total}
          aria-label={`Finished stages of round ${number}`}
        />
      )}
      {state === 'interrupted' && (
        <Text size="xs" c="dimmed">
          Its process ended before the round did. Finished stages are kept.
        </Text>
      )}
      {state === 'not started' && (
        <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          Its process ended before the first stage. <Marked text={log.split('\n').at(-1)!} />
        </Text>
      )}
      {message !== null && (
        <Text size="xs" c="red">
          <Marked text={message} />
        </Text>
      )}
      {resume.isError && (
        <Text size="xs" c="red">
          <Marked text={resume.error.message} />
        </Text>
      )}
    </Stack>
  );
}

function Start({
  project,
  isRunning,
  isFirst,
  onStarted,
}: {
  project: string;
  isRunning: boolean;
  isFirst: boolean;
  onStarted: () => void;
}) {
  const about = useProject(project);
  const isNarrow = useMediaQuery('(max-width: 30em)');
  const [method, setMethod] = useState<RoundOptions['method']>('dpo');
  const [model, setModel] = useState('');
  const [epochs, setEpochs] = useState<number | string>(3);
  const [newTasks, setNewTasks] = useState<number | string>(20);
  const [samples, setSamples] = useState<number | string>(4);
  const start = useMutation({
    mutationFn: () =>
      answerOf(
        api.projects[':project'].rounds.$post({
          param: { project },
          json: {
            ...{ method, model: model.trim() || null, epochs: Number(epochs) },
            ...{ newTasks: Number(newTasks), samples: Number(samples) },
          },
        }),
      ),
    onSuccess: onStarted,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate();
  };
  const isOrdered = about.data?.settings.order === 'priority';
  return (
    <Card withBorder component="section">
      <form onSubmit={submit}>
        <Stack>
          <Title order={2} size="h4">
            {isFirst ? 'The first round' : 'Another round'}
          </Title>
          <div>
            <Text size="sm" fw={500} id="method">
              What is trained
            </Text>
            <SegmentedControl
              aria-labelledby="method"
              orientation={isNarrow ? 'vertical' : 'horizontal'}
              data={[
                { value: 'dpo', label: 'Reward and DPO' },
                { value: 'kto', label: 'Reward and KTO' },
                { value: 'none', label: 'Only the reward' },
              ]}
              value={method}
              onChange={(value) => setMethod(value as RoundOptions['method'])}
            />
          </div>
          <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
            <TextInput
              label="Model"
              placeholder="SmolLM2-135M-Instruct"
              description="A folder, a GGUF file or hub:owner/name"
              value={model}
              onChange={(event) => setModel(event.currentTarget.value)}
            />
            <NumberInput
              label="Epochs"
              description="Passes over the labels"
              min={0.1}
              max={100}
              value={epochs}
              onChange={setEpochs}
            />
            <NumberInput
              label="New tasks"
              description="0: only train"
              min={0}
              max={10_000}
              allowDecimal={false}
              value={newTasks}
              onChange={setNewTasks}
            />
            <NumberInput
              label="Answers to each prompt"
              description="The pairs are chosen from them"
              min={2}
              max={16}
              allowDecimal={false}
              value={samples}
              onChange={setSamples}
            />
          </SimpleGrid>
          {!isOrdered && Number(newTasks) > 0 && (
            <Alert color="blue">
              New tasks come after the open ones. To have those first that teach most, choose the
              order by priority in the settings.
            </Alert>
          )}
          {start.isError && <Failure error={start.error} />}
          <Group>
            <Button
              type="submit"
              leftSection={<IconPlayerPlay size={18} />}
              loading={start.isPending}
              disabled={isRunning}
            >
              Start the round
            </Button>
            {isRunning && (
              <Text size="sm" c="dimmed">
                A round is running.
              </Text>
            )}
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
