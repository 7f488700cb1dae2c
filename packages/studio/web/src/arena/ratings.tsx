// Ratings of the models from all battles of a project, with intervals, wins and history.
import {
  Alert,
  Badge,
  Button,
  Group,
  List,
  Skeleton,
  Stack,
  Switch,
  Table,
  Text,
  Title,
} from '@mantine/core';
import { IconSwords } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { answerOf, api } from '../api.ts';
import { visibleText } from '../content/invisible.ts';
import { Marked, Name } from '../content/marked.tsx';
import { EmptyState } from '../shell/empty-state.tsx';
import { Failure } from '../shell/failure.tsx';
import { agoText, counted, percent } from '../shell/words.ts';

export default function Ratings({ project }: { project: string }) {
  const [styleControl, setStyleControl] = useState(false);
  const arena = useQuery({
    queryKey: ['arena', project, styleControl],
    queryFn: () =>
      answerOf(
        api.projects[':project'].arena.$get({
          param: { project },
          query: { styleControl: String(styleControl) },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  if (arena.isError) return <Failure error={arena.error} />;
  if (arena.isPending) return <Skeleton h={300} />;
  const { rated, battles, ties, leaked, people, left } = arena.data;
  const start = (
    <Button
      component={Link}
      href={`/projects/${project}/battle`}
      leftSection={<IconSwords size={18} />}
    >
      Battle
    </Button>
  );
  if (rated === null) {
    return (
      <EmptyState
        title="No battles yet"
        icon={<IconSwords size={40} stroke={1.4} />}
        action={start}
      >
        In a battle, two models answer a prompt of yours, and you say who is better without knowing
        them. The votes become ratings.
        {leaked > 0 && ` ${counted(leaked, 'battle')} do not count: an answer names its model.`}
      </EmptyState>
    );
  }
  const names = rated.ratings.map(({ name }) => name);
  return (
    <Stack gap="xl">
      <Group justify="space-between">
        <Text>
          {counted(battles, 'battle')} of {counted(people, 'person', 'people')}, {ties} undecided
          {left.decided > 0 &&
            `; the left side won ${percent(left.wins / left.decided)} of ${left.decided}`}
          {leaked > 0 && `; ${leaked} more do not count, since an answer names its model`}
        </Text>
        <Group>
          <Switch
            label="Correct for style"
            checked={styleControl}
            onChange={(event) => setStyleControl(event.currentTarget.checked)}
          />
          {start}
        </Group>
      </Group>
      <Table maw={720} aria-label="Ratings">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Model</Table.Th>
            <Table.Th ta="right">Rating</Table.Th>
            <Table.Th ta="right">95% interval</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rated.ratings.map(({ name, rating, interval }) => (
            <Table.Tr key={name}>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>
                <Name>{name}</Name>
              </Table.Td>
              <Table.Td ta="right">{Math.round(rating)}</Table.Td>
              <Table.Td ta="right">
                {Math.round(interval[0])} to {Math.round(interval[1])}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {styleControl && rated.coefficients.length > 0 && (
        <Alert color="blue" title="What style is worth">
          <List size="sm">
            {rated.coefficients.map(({ value, interval }, at) => (
              <List.Item key={rated.styles[at]}>
                {rated.styles[at]}: {value.toFixed(2)} ({interval[0].toFixed(2)} to{' '}
                {interval[1].toFixed(2)})
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      <section>
        <Title order={2} size="h4" mb="xs">
          Wins of the row's model against the column's
        </Title>
        <Table.ScrollContainer minWidth={120 * (names.length + 1)}>
          <Table withTableBorder aria-label="Wins">
            <Table.Thead>
              <Table.Tr>
                <Table.Td />
                {names.map((name) => (
                  <Table.Th key={name} ta="right">
                    <Name>{name}</Name>
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {names.map((name, row) => (
                <Table.Tr key={name}>
                  <Table.Th scope="row">
                    <Name>{name}</Name>
                  </Table.Th>
                  {names.map((other, column) => {
                    const met = rated.pairs.battles[row]?.[column] ?? 0;
                    const wins = rated.pairs.wins[row]?.[column] ?? 0;
                    return (
                      <Table.Td key={other} ta="right">
                        {row === column || met === 0 ? '–' : `${percent(wins / met)} of ${met}`}
                      </Table.Td>
                    );
                  })}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </section>
      <History project={project} />
    </Stack>
  );
}

/** Why these models met. */
const drawnText = (reason: 'information' | 'random', gain: number | null): string =>
  reason === 'random'
    ? 'at random'
    : `for its information${gain === null ? '' : ` (${(100 * gain).toFixed(1)}%)`}`;

function History({ project }: { project: string }) {
  const battles = useQuery({
    queryKey: ['arena', project, 'battles'],
    queryFn: () =>
      answerOf(
        api.projects[':project'].battles.$get({
          param: { project },
          query: { limit: '50', offset: '0' },
        }),
      ),
  });
  if (battles.isError) return <Failure error={battles.error} />;
  if (battles.isPending) return <Skeleton h={120} />;
  return (
    <section>
      <Title order={2} size="h4" mb="xs">
        Last battles
      </Title>
      <Table.ScrollContainer minWidth={820}>
        <Table aria-label="Last battles">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Prompt</Table.Th>
              <Table.Th miw={140}>Left</Table.Th>
              <Table.Th miw={140}>Right</Table.Th>
              <Table.Th>Vote</Table.Th>
              <Table.Th>Drawn</Table.Th>
              <Table.Th>Person</Table.Th>
              <Table.Th>When</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {battles.data.battles.map(
              ({ id, turns, models, vote, person, leak, reason, gain, at }) => (
                <Table.Tr key={id}>
                  <Table.Td maw={320}>
                    <Text size="sm" lineClamp={2} dir="auto" style={{ overflowWrap: 'anywhere' }}>
                      <Marked text={turns[0]?.prompt ?? ''} />
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Name>{models.left}</Name>
                  </Table.Td>
                  <Table.Td>
                    <Name>{models.right}</Name>
                  </Table.Td>
                  <Table.Td>
                    {vote?.replace('_', ' ')}{' '}
                    {leak !== null && (
                      <Badge color="yellow" title={`An answer says “${visibleText(leak)}”`}>
                        not counted
                      </Badge>
                    )}
                  </Table.Td>
                  <Table.Td>{reason !== null && drawnText(reason, gain)}</Table.Td>
                  <Table.Td>
                    <Name>{person}</Name>
                  </Table.Td>
                  <Table.Td>{agoText(at)}</Table.Td>
                </Table.Tr>
              ),
            )}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="sm" c="dimmed">
        {counted(battles.data.total, 'battle')} in all. Export them as battles to rate them with
        keel rate.
      </Text>
    </section>
  );
}
