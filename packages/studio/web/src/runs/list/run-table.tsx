// Runs as a table: the stages of a recipe below it.
import {
  Anchor,
  Box,
  Checkbox,
  Group,
  Progress,
  Stack,
  Table,
  Text,
  Tooltip,
  VisuallyHidden,
} from '@mantine/core';
import { IconAlertOctagon, IconAlertTriangle } from '@tabler/icons-react';
import { Link } from 'wouter';
import { agoText, counted } from '../../shell/words.ts';
import { durationText, numberText } from '../numbers.ts';
import { StateBadge } from '../state-badge.tsx';
import { isOfOtherTrainer, nameOf, type RunSummary, runPath } from '../use-runs.ts';

/**
 * @param runs in the order in which they are shown
 * @param chosen selected ids; null: nothing can be selected
 */
export function RunTable({
  runs,
  all,
  chosen,
  onChosen = () => {},
}: {
  runs: readonly RunSummary[];
  all: readonly RunSummary[];
  chosen: ReadonlySet<string> | null;
  onChosen?: (chosen: Set<string>) => void;
}) {
  const known = new Set(all.map(({ id }) => id));
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChosen(next);
  };
  return (
    <Box className="scroll-x">
      <Table verticalSpacing="sm" aria-label="Runs">
        <Table.Thead>
          <Table.Tr>
            {chosen !== null && (
              <Table.Th w={36}>
                <VisuallyHidden>Select</VisuallyHidden>
              </Table.Th>
            )}
            <Table.Th>Run</Table.Th>
            <Table.Th visibleFrom="xs">State</Table.Th>
            <Table.Th visibleFrom="sm">Progress</Table.Th>
            <Table.Th visibleFrom="md">Latest number</Table.Th>
            <Table.Th visibleFrom="sm">Health</Table.Th>
            <Table.Th visibleFrom="md">Written</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.map((run) => {
            const isStage = run.parent !== null && known.has(run.parent);
            const { name, folder } = nameOf(run.id);
            return (
              <Table.Tr key={run.id} className="run-row">
                {chosen !== null && (
                  <Table.Td>
                    <Checkbox
                      aria-label={`Select ${run.id}`}
                      checked={chosen.has(run.id)}
                      onChange={() => toggle(run.id)}
                    />
                  </Table.Td>
                )}
                <Table.Td pl={isStage ? 'xl' : undefined} maw={340}>
                  <Stack gap={2}>
                    <Anchor
                      component={Link}
                      href={runPath(run.id)}
                      fw={600}
                      c="bright"
                      style={{ overflowWrap: 'anywhere' }}
                    >
                      {!isStage && folder !== '' && (
                        <Text span inherit fw={400} c="dimmed">
                          {folder}
                        </Text>
                      )}
                      {name}
                    </Anchor>
                    <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                      {[run.verb ?? run.kind, run.model].filter((one) => one !== null).join(' · ')}
                    </Text>
                    <Box hiddenFrom="xs">
                      <StateBadge state={run.state} />
                    </Box>
                  </Stack>
                </Table.Td>
                <Table.Td visibleFrom="xs">
                  <StateBadge state={run.state} />
                </Table.Td>
                <Table.Td visibleFrom="sm">
                  <RunProgress run={run} />
                </Table.Td>
                <Table.Td visibleFrom="md" className="numeric">
                  {run.number !== null && (
                    <Text size="sm">
                      <b>
                        {run.number.value === null ? 'not finite' : numberText(run.number.value)}
                      </b>{' '}
                      <Text span size="xs" c="dimmed">
                        {run.number.name}
                      </Text>
                    </Text>
                  )}
                </Table.Td>
                <Table.Td visibleFrom="sm">
                  <HealthMarks serious={run.serious} warnings={run.warnings} />
                </Table.Td>
                <Table.Td visibleFrom="md">
                  <Text size="sm" c="dimmed">
                    {run.updated === null ? '' : agoText(run.updated)}
                  </Text>
                </Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Box>
  );
}

function RunProgress({ run }: { run: RunSummary }) {
  const { step, total, secondsLeft, state, id } = run;
  if (step === null) return null;
  const share = total ? Math.min(1, step / total) : null;
  return (
    <Stack gap={4} miw={120} maw={180}>
      <Text size="sm" className="numeric">
        {total === null && run.kind !== 'training' && !isOfOtherTrainer(run)
          ? counted(step, 'stage')
          : step.toLocaleString('en')}
        {total !== null && ` of ${total.toLocaleString('en')}`}
        {secondsLeft !== null && (
          <Text span size="xs" c="dimmed">
            , {durationText(secondsLeft)} left
          </Text>
        )}
      </Text>
      {share !== null && (
        <Progress
          size="sm"
          value={100 * share}
          color={state === 'failed' ? 'red' : state === 'finished' ? 'green' : undefined}
          aria-label={`Progress of ${id}`}
        />
      )}
    </Stack>
  );
}

function HealthMarks({ serious, warnings }: { serious: number; warnings: number }) {
  if (serious + warnings === 0) return null;
  const text = [
    ...(serious > 0 ? [`${serious} serious`] : []),
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`] : []),
  ].join(', ');
  return (
    <Tooltip label={`${text}: open the run to read what was found`}>
      <Group gap={6} wrap="nowrap" role="img" aria-label={text}>
        {serious > 0 ? (
          <IconAlertOctagon size={18} color="var(--mantine-color-red-7)" />
        ) : (
          <IconAlertTriangle size={18} color="var(--mantine-color-yellow-8)" />
        )}
        <Text size="sm">{serious + warnings}</Text>
      </Group>
    </Tooltip>
  );
}
