// The tasks of a project, a page at a time.
import {
  Badge,
  Group,
  Pagination,
  Select,
  Skeleton,
  Stack,
  Table,
  Text,
  TextInput,
  VisuallyHidden,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { answerOf, api } from '../api.ts';
import { Marked } from '../content/marked.tsx';
import { EmptyState } from '../shell/empty-state.tsx';
import { Failure } from '../shell/failure.tsx';
import { counted, percent } from '../shell/words.ts';

const PAGE = 50;

const states = [
  { value: '', label: 'All tasks' },
  { value: 'new', label: 'Without a verdict' },
  { value: 'started', label: 'With too few verdicts' },
  { value: 'finished', label: 'Finished' },
  { value: 'flagged', label: 'Flagged' },
  { value: 'skipped', label: 'Skipped by somebody' },
  { value: 'gold', label: 'Gold' },
  { value: 'adjudicated', label: 'Settled' },
];

/** The filter of a choice of {@link states}. */
const filterOf = (state: string) =>
  ['new', 'started', 'finished'].includes(state)
    ? { state: state as 'new' | 'started' | 'finished' }
    : state === ''
      ? {}
      : { [state]: true };

export function TaskTable({ project, disputed = false }: { project: string; disputed?: boolean }) {
  const [state, setState] = useState('');
  const [text, setText] = useState('');
  const [searched] = useDebouncedValue(text.trim(), 250);
  const [page, setPage] = useState(1);
  const query = {
    ...filterOf(state),
    ...(searched !== '' && { text: searched }),
    ...(disputed && { disputed: true, adjudicated: false }),
    sort: disputed ? ('dispute' as const) : ('added' as const),
    limit: String(PAGE),
    offset: String((page - 1) * PAGE),
  };
  const tasks = useQuery({
    queryKey: ['tasks', project, query],
    queryFn: () => answerOf(api.projects[':project'].tasks.$get({ param: { project }, query })),
    placeholderData: keepPreviousData,
  });
  if (tasks.isError) return <Failure error={tasks.error} retry={() => void tasks.refetch()} />;
  if (tasks.isPending) return <Skeleton h={300} />;
  const { total, tasks: rows } = tasks.data;
  const isFiltered = state !== '' || searched !== '';
  return (
    <Stack>
      <Group>
        <TextInput
          aria-label="Search in prompts"
          placeholder="Search in prompts"
          leftSection={<IconSearch size={16} />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setPage(1);
          }}
        />
        {!disputed && (
          <Select
            aria-label="Which tasks"
            data={states}
            value={state}
            allowDeselect={false}
            onChange={(value) => {
              setState(value ?? '');
              setPage(1);
            }}
          />
        )}
        <Text size="sm" c="dimmed" aria-live="polite">
          {counted(total, 'task')}
        </Text>
      </Group>
      {rows.length === 0 ? (
        <EmptyState title={emptyTitle(isFiltered, disputed)}>
          {isFiltered
            ? 'Change the search or the choice.'
            : disputed
              ? 'Tasks on which people disagree appear here, so that you can settle them.'
              : 'Import prompts with answers: people compare them, and the verdicts become training data.'}
        </EmptyState>
      ) : (
        <Table.ScrollContainer minWidth={640}>
          <Table verticalSpacing="xs" highlightOnHover aria-label="Tasks">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Prompt</Table.Th>
                <Table.Th>Kind</Table.Th>
                <Table.Th ta="right">Verdicts</Table.Th>
                <Table.Th ta="right">Disagreement</Table.Th>
                <Table.Th>
                  <VisuallyHidden>Marks</VisuallyHidden>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((task) => (
                <Table.Tr key={task.id}>
                  <Table.Td maw={560}>
                    <Text
                      component={Link}
                      href={`/projects/${project}/tasks/${task.id}`}
                      size="sm"
                      lineClamp={2}
                      className="plain"
                      dir="auto"
                      style={{ overflowWrap: 'anywhere' }}
                    >
                      {task.prompt === '' ? '(empty prompt)' : <Marked text={task.prompt} />}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    {task.kind === 'ranking' ? `ranking of ${task.answers}` : task.kind}
                  </Table.Td>
                  <Table.Td ta="right">
                    {task.gold ? task.verdicts : `${task.verdicts} of ${task.overlap}`}
                  </Table.Td>
                  <Table.Td ta="right">{task.verdicts > 1 ? percent(task.dispute) : '–'}</Table.Td>
                  <Table.Td>
                    <Group gap={4} wrap="nowrap">
                      {task.gold && <Badge color="yellow">gold</Badge>}
                      {task.adjudicated && <Badge color="green">settled</Badge>}
                      {task.flags > 0 && <Badge color="red">flagged</Badge>}
                      {task.skips > 0 && <Badge color="gray">skipped</Badge>}
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {total > PAGE && (
        <Pagination
          total={Math.ceil(total / PAGE)}
          value={page}
          onChange={setPage}
          getControlProps={(control) => ({ 'aria-label': `${control} page` })}
          getItemProps={(item) => ({ 'aria-label': `Page ${item}` })}
        />
      )}
    </Stack>
  );
}

const emptyTitle = (isFiltered: boolean, disputed: boolean): string =>
  isFiltered
    ? 'No task fits'
    : disputed
      ? 'Nobody disagrees on an open task'
      : 'This project has no tasks yet';
