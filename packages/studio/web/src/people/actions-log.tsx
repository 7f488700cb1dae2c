// What admins did, newest first.
import { Button, Skeleton, Table, Text, Title } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, api } from '../api.ts';
import { Failure } from '../shell/failure.tsx';
import { counted, timeText } from '../shell/words.ts';

/** Actions on one page, and how many more a click shows. */
const PAGE = 20;

export function ActionsLog() {
  const [limit, setLimit] = useState(PAGE);
  const log = useQuery({
    queryKey: ['people', 'actions', limit],
    queryFn: () =>
      answerOf(api.people.actions.$get({ query: { limit: String(limit), offset: '0' } })),
    placeholderData: keepPreviousData,
  });
  if (log.isPending) return <Skeleton h={160} />;
  if (log.isError) return <Failure error={log.error} retry={() => void log.refetch()} />;
  const { total, actions } = log.data;
  if (total === 0) return null;
  return (
    <section>
      <Title order={2} size="h4" mb="xs">
        What admins did
      </Title>
      <Table.ScrollContainer minWidth={560}>
        <Table verticalSpacing="xs" aria-label="What admins did">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>When</Table.Th>
              <Table.Th>Who</Table.Th>
              <Table.Th>What</Table.Th>
              <Table.Th>Project</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {actions.map(({ at, person, action, project, details }, row) => (
              <Table.Tr key={`${at} ${row}`}>
                <Table.Td style={{ whiteSpace: 'nowrap' }}>{timeText(at)}</Table.Td>
                <Table.Td>{person ?? 'a program'}</Table.Td>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>
                  {action}
                  <Text size="sm" c="dimmed">
                    {detailsText(details)}
                  </Text>
                </Table.Td>
                <Table.Td>{project}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {actions.length < total && limit < 200 && (
        <Button mt="xs" variant="default" onClick={() => setLimit(Math.min(200, limit + PAGE))}>
          Show more of {counted(total, 'action')}
        </Button>
      )}
    </section>
  );
}

/** `name: Ann, role: annotator`. */
const detailsText = (details: Readonly<Record<string, unknown>>): string =>
  Object.entries(details)
    .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
