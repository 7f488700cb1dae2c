// Everything about one task: answers and where they are from, who said what, and the verdict that
// settles it.
import {
  Anchor,
  Badge,
  Button,
  Card,
  Group,
  SimpleGrid,
  Skeleton,
  Stack,
  Table,
  Text,
  Title,
} from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { Link } from 'wouter';
import { PairScale } from '../annotate/pair-scale.tsx';
import { BestList, RankingList } from '../annotate/ranking-list.tsx';
import {
  type Draft,
  emptyDraft,
  letterOf,
  missing,
  scaleOf,
  verdictOf,
} from '../annotate/verdict.ts';
import { answerOf, api, queries } from '../api.ts';
import { type Content, ContentView } from '../content/content.tsx';
import { Marked, Name } from '../content/marked.tsx';
import { Failure } from '../shell/failure.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { percent, timeText } from '../shell/words.ts';
import { useProject } from './use-projects.ts';
import { verdictText } from './verdict-text.ts';

export default function TaskPage({ project, task: id }: { project: string; task: string }) {
  const about = useProject(project);
  const detail = useQuery({
    queryKey: ['task', project, id],
    queryFn: () =>
      answerOf(api.projects[':project'].tasks[':task'].$get({ param: { project, task: id } })),
  });
  if (detail.isError) return <Failure error={detail.error} />;
  if (detail.isPending || about.data === undefined) return <Skeleton h={400} />;
  const task = detail.data;
  const { settings, name } = about.data;
  const said = (verdict: Parameters<typeof verdictText>[0]) =>
    verdictText(verdict, settings.strengths);
  return (
    <>
      <PageHeader title="Task">
        <Anchor component={Link} href={`/projects/${project}`}>
          <Name>{name}</Name>
        </Anchor>
        , {task.kind}
        {task.gold !== null && `, known verdict: ${said(task.gold)}`}
        {task.prioritySource !== null && (
          <>
            , priority {task.priority.toPrecision(3)} by <Name>{task.prioritySource}</Name>
          </>
        )}
        {task.suggestions.map(({ by, probability }) => (
          <Fragment key={by}>
            , {letterOf(probability >= 0.5 ? 0 : 1)} was expected with{' '}
            {percent(Math.max(probability, 1 - probability))} by <Name>{by}</Name>
          </Fragment>
        ))}
      </PageHeader>
      <Stack gap="lg">
        <Card withBorder component="section" aria-label="Prompt">
          <ContentView content={task.prompt as Content} />
        </Card>
        <SimpleGrid cols={{ base: 1, md: Math.min(2, task.answers.length) }}>
          {task.answers.map((answer, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: answers of a task never change places
            <Card withBorder component="article" key={at} aria-label={`Answer ${letterOf(at)}`}>
              <Group mb="sm" gap="xs">
                <Badge size="lg" variant="light" circle>
                  {letterOf(at)}
                </Badge>
                <Text size="sm" c="dimmed">
                  <Name>
                    {[answer.model, answer.adapter].filter(Boolean).join(' + ') ||
                      'model not known'}
                  </Name>
                </Text>
              </Group>
              <ContentView content={answer.content as Content} alone />
            </Card>
          ))}
        </SimpleGrid>
        <section>
          <Title order={2} size="h4" mb="xs">
            Verdicts
          </Title>
          {task.versions.length === 0 ? (
            <Text c="dimmed">Nobody has annotated this task yet.</Text>
          ) : (
            <Table.ScrollContainer minWidth={560}>
              <Table aria-label="Verdicts">
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Person</Table.Th>
                    <Table.Th>Verdict</Table.Th>
                    <Table.Th>Seen first</Table.Th>
                    <Table.Th>Comment</Table.Th>
                    <Table.Th ta="right">Seconds</Table.Th>
                    <Table.Th>When</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {task.versions.map((version) => (
                    <Table.Tr key={`${version.person} ${version.version}`}>
                      <Table.Td>
                        <Name>{version.person}</Name>
                        {version.version > 1 && ` (version ${version.version})`}
                      </Table.Td>
                      <Table.Td>{said(version)}</Table.Td>
                      <Table.Td>
                        {version.order === null ? '–' : letterOf(version.order[0] ?? 0)}
                      </Table.Td>
                      <Table.Td style={{ overflowWrap: 'anywhere' }}>
                        {version.flagged && <Badge color="red">flagged</Badge>}
                        {version.afterSuggestion && (
                          <Badge variant="default">after a suggestion</Badge>
                        )}
                        {version.comment !== null && <Said>{version.comment}</Said>}
                        {version.edit && (
                          <>
                            <Text size="xs" c="dimmed">
                              Better answer
                              {version.edit.answer !== null &&
                                `, from answer ${letterOf(version.edit.answer)}`}
                            </Text>
                            <Said>{version.edit.text}</Said>
                          </>
                        )}
                      </Table.Td>
                      <Table.Td ta="right">{version.seconds ?? '–'}</Table.Td>
                      <Table.Td>{version.at === null ? '–' : timeText(version.at)}</Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          )}
        </section>
        <section>
          <Title order={2} size="h4" mb={4}>
            Settle
          </Title>
          <Text size="sm" c="dimmed" mb="sm">
            Your verdict here outranks the others in exports. Agreement is measured without it.
          </Text>
          {task.adjudication !== null && (
            <Text mb="sm">
              <Name>{task.adjudication.person}</Name> settled this task: {said(task.adjudication)}.
            </Text>
          )}
          <Settle project={project} task={id} kind={task.kind} answers={task.answers.length} />
        </section>
      </Stack>
    </>
  );
}

/** What somebody wrote, with its lines. */
const Said = ({ children }: { children: string }) => (
  <Text size="sm" dir="auto" style={{ whiteSpace: 'pre-wrap' }}>
    <Marked text={children} />
  </Text>
);

function Settle({
  project,
  task,
  kind,
  answers,
}: {
  project: string;
  task: string;
  kind: 'pair' | 'ranking' | 'thumb';
  answers: number;
}) {
  const about = useProject(project);
  const [draft, setDraft] = useState<Draft>(emptyDraft(answers));
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const settle = useMutation({
    mutationFn: () =>
      answerOf(
        api.projects[':project'].tasks[':task'].adjudication.$post({
          param: { project, task },
          json: verdictOf(kind, draft, 0),
        }),
      ),
    onSuccess: () => queries.invalidateQueries(),
  });
  if (about.data === undefined) return null;
  const Ranks = about.data.settings.ranking === 'best' ? BestList : RankingList;
  return (
    <Stack align="flex-start">
      {kind === 'pair' && (
        <PairScale
          scale={scaleOf(about.data.settings)}
          bothBad={about.data.settings.bothBad}
          draft={draft}
          choose={change}
        />
      )}
      {kind === 'thumb' && (
        <Group gap="xs">
          {(['up', 'down'] as const).map((choice) => (
            <Button
              key={choice}
              variant={draft.choice === choice ? 'filled' : 'default'}
              aria-pressed={draft.choice === choice}
              onClick={() => change({ choice })}
            >
              {choice === 'up' ? 'Good' : 'Bad'}
            </Button>
          ))}
        </Group>
      )}
      {kind === 'ranking' && (
        <Ranks
          ranks={draft.ranks}
          onChange={(ranks) => change({ ranks })}
          card={(at, aside) => (
            <Group key={at}>
              <Text>Answer {letterOf(at)}</Text>
              {aside}
            </Group>
          )}
        />
      )}
      {settle.isError && <Failure error={settle.error} />}
      <Button
        onClick={() => settle.mutate()}
        loading={settle.isPending}
        disabled={missing(kind, draft) !== null}
      >
        Settle
      </Button>
    </Stack>
  );
}
