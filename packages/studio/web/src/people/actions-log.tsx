// What admins did, newest first.
import { Button, Skeleton, Table, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { actionText } from '../../../src/store/action-text.ts';
import { answerOf, api } from '../api.ts';
import { Marked, Name } from '../content/marked.tsx';
import { Failure } from '../shell/failure.tsx';
import { counted, timeText } from '../shell/words.ts';

/** Actions on one page, and how many more a click shows. */
const PAGE = 20;

export function ActionsLog() {
  const log = useInfiniteQuery({
    queryKey: ['people', 'actions'],
    queryFn: ({ pageParam }) => {
      const query = { limit: String(PAGE), offset: String(pageParam) };
      return answerOf(api.people.actions.$get({ query }));
    },
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const shown = PAGE * pages.length;
      return shown < last.total ? shown : null;
    },
  });
  if (log.isPending) return <Skeleton h={160} />;
  if (log.isError) return <Failure error={log.error} retry={() => void log.refetch()} />;
  const { total } = log.data.pages[0]!;
  const actions = log.data.pages.flatMap((page) => page.actions);
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
                <Table.Td>{person === null ? 'a program' : <Name>{person}</Name>}</Table.Td>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>
                  {action}
                  <Text size="sm" c="dimmed">
                    <Marked text={actionText(details)} />
                  </Text>
                </Table.Td>
                <Table.Td>{project !== null && <Name>{project}</Name>}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {log.hasNextPage && (
        <Button
          mt="xs"
          variant="default"
          loading={log.isFetchingNextPage}
          onClick={() => void log.fetchNextPage()}
        >
          Show more of {counted(total, 'action')}
        </Button>
      )}
    </section>
  );
}
