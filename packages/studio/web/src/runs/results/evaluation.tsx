// What `keel evaluate` found: every metric of every task.
import { Box, Stack, Table, Text, Title } from '@mantine/core';
import { Marked } from '../../content/marked.tsx';
import { counted } from '../../shell/words.ts';
import { numberText } from '../numbers.ts';
import type { FoundResults } from '../use-runs.ts';
import { IntervalTable } from './interval-table.tsx';
import { Scroll } from './scroll.tsx';

type Found = FoundResults<'evaluation'>;
type Measured = Found['entries'][number]['tasks'][string]['metrics'][string];

export function EvaluationResults({ found }: { found: Found }) {
  const { entries, baseline } = found;
  const differences = entries.flatMap(({ name, differences: own }) =>
    own.map((one) => ({ ...one, entry: name })),
  );
  return (
    <Stack gap="lg">
      <SuiteTable found={found} />
      {differences.length > 0 && (
        <IntervalTable
          title={`Differences from ${baseline}`}
          note="On the rows that both were asked. If the interval excludes 0, other rows would hardly have reversed the difference."
          first="Metric"
          line={0}
          columns={['Rows', 'Gained', 'Lost', "McNemar's p"]}
          rows={differences.map(({ entry, task, metric, rows, value, interval, changes }) => ({
            ...{ name: `${task}, ${metric}`, value, interval },
            ...(entries.length > 2 && { about: entry }),
            cells: [
              rows.toLocaleString('en'),
              changes?.gained ?? '–',
              changes?.lost ?? '–',
              changes === null ? '–' : numberText(changes.p),
            ],
          }))}
        />
      )}
    </Stack>
  );
}

/** A row for each metric of a task, and a column for each entry. */
function SuiteTable({ found: { entries, suites, limit } }: { found: Found }) {
  const rows = new Map(
    entries.flatMap(({ tasks }) =>
      Object.entries(tasks).flatMap(([name, { metrics }]) =>
        Object.keys(metrics).map((metric) => [`${name}\0${metric}`, { name, metric }] as const),
      ),
    ),
  );
  return (
    <Box component="section" aria-label="Suites">
      <Title order={3} size="h4" mb="xs">
        <Marked text={suites.length === 0 ? 'Tasks' : `Suites: ${suites.join(', ')}`} />
      </Title>
      {limit !== null && (
        <Text size="sm" c="dimmed" mb="xs">
          Only the first {counted(limit, 'row')} of every task.
        </Text>
      )}
      <Scroll label="Metrics">
        <Table className="numeric" highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Task</Table.Th>
              <Table.Th>Metric</Table.Th>
              {entries.map(({ name }) => (
                <Table.Th key={name}>
                  <Marked text={name} />
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {[...rows].map(([key, { name, metric }]) => (
              <Table.Tr key={key}>
                <Table.Td>
                  <Marked text={name} />
                </Table.Td>
                <Table.Td>
                  <Marked text={metric} />
                </Table.Td>
                {entries.map((entry) => {
                  const measured = entry.tasks[name]?.metrics[metric];
                  return (
                    <Table.Td key={entry.name}>
                      {measured === undefined ? '–' : <MeasuredNumber {...measured} />}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Scroll>
    </Box>
  );
}

const MeasuredNumber = ({ value, interval, count }: Measured) => (
  <>
    <b>{numberText(value)}</b>{' '}
    <Text span size="xs" c="dimmed">
      {`${numberText(interval[0])} to ${numberText(interval[1])}, n = ${count}`}
    </Text>
  </>
);
