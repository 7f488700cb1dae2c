// What was measured: suites with their intervals, and gates.
import { Badge, Box, Group, Stack, Table, Text, Title } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { numberText } from '../numbers.ts';
import type { RunDetails } from '../use-runs.ts';

type Evaluation = NonNullable<RunDetails['evaluation']>;

export function ResultsTab({ run }: { run: RunDetails }) {
  const gates = [...run.gates, ...(run.evaluation?.gates ?? [])];
  return (
    <Stack gap="lg">
      {gates.length > 0 && <Gates gates={gates} />}
      {run.evaluation !== null && <SuiteTable evaluation={run.evaluation} />}
    </Stack>
  );
}

export const Gates = ({ gates }: { gates: RunDetails['gates'] }) => (
  <Stack gap="xs" component="section" aria-label="Gates">
    <Title order={3} size="h4">
      Gates
    </Title>
    {gates.map(({ name, passed, reasons }) => (
      <Group key={`${name} ${reasons.join(' ')}`} gap="sm" align="flex-start" wrap="nowrap">
        <Badge
          color={passed ? 'green' : 'red'}
          variant="light"
          c="bright"
          tt="none"
          leftSection={passed ? <IconCheck size={13} /> : <IconX size={13} />}
          style={{ flexShrink: 0 }}
        >
          {passed ? 'passed' : 'failed'}
        </Badge>
        <Text size="sm">
          <b>{name}</b>: {reasons.join('. ')}
        </Text>
      </Group>
    ))}
  </Stack>
);

/** A row for each metric of a task, and a column for each entry. */
export function SuiteTable({ evaluation }: { evaluation: Evaluation }) {
  const { entries, suites } = evaluation;
  const rows = new Map(
    entries.flatMap(({ tasks }) =>
      tasks.flatMap(({ name, metrics }) =>
        Object.keys(metrics).map((metric) => [`${name}\0${metric}`, { name, metric }] as const),
      ),
    ),
  );
  return (
    <Box component="section" aria-label="Suites">
      <Title order={3} size="h4" mb="xs">
        {suites.length === 0 ? 'Tasks' : `Suites: ${suites.join(', ')}`}
      </Title>
      <Box className="scroll-x">
        <Table className="numeric" highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Task</Table.Th>
              <Table.Th>Metric</Table.Th>
              {entries.map(({ name }) => (
                <Table.Th key={name}>{name}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {[...rows].map(([key, { name, metric }]) => (
              <Table.Tr key={key}>
                <Table.Td>{name}</Table.Td>
                <Table.Td>{metric}</Table.Td>
                {entries.map((entry) => {
                  const found = entry.tasks.find((task) => task.name === name)?.metrics[metric];
                  return (
                    <Table.Td key={entry.name}>
                      {found === undefined ? '–' : <Measured {...found} />}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Box>
    </Box>
  );
}

const Measured = ({
  value,
  interval,
  count,
}: {
  value: number;
  interval: readonly number[] | null;
  count: number | null;
}) => (
  <>
    <b>{numberText(value)}</b>{' '}
    <Text span size="xs" c="dimmed">
      {interval !== null && `${numberText(interval[0])} to ${numberText(interval[1])}`}
      {count !== null && `, n = ${count}`}
    </Text>
  </>
);
