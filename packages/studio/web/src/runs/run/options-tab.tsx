// What a run was asked for.
import {
  Box,
  Button,
  Code,
  CopyButton,
  Group,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { IconCopy, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { EmptyState } from '../../shell/empty-state.tsx';
import { valueText } from '../numbers.ts';
import type { RunDetails } from '../use-runs.ts';

export function OptionsTab({ run }: { run: RunDetails }) {
  const [filter, setFilter] = useState('');
  const { config } = run;
  if (config === null) {
    return (
      <EmptyState title="No options">
        This folder has no config.yaml that can be read. The options of a recipe are those of its
        stages.
      </EmptyState>
    );
  }
  const text = filter.trim().toLowerCase();
  const shown = config.options.filter(({ key, value }) =>
    `${key} ${valueText(value)}`.toLowerCase().includes(text),
  );
  const groups = Map.groupBy(shown, ({ group }) => group ?? 'Options');
  return (
    <Stack>
      <Group justify="space-between">
        <TextInput
          aria-label="Find options"
          placeholder="Find options"
          leftSection={<IconSearch size={16} />}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
        <CopyButton value={config.text}>
          {({ copied, copy }) => (
            <Button variant="default" leftSection={<IconCopy size={16} />} onClick={copy}>
              {copied ? 'Copied' : 'Copy as YAML'}
            </Button>
          )}
        </CopyButton>
      </Group>
      {shown.length === 0 && <Text c="dimmed">No option has “{filter}” in its name or value.</Text>}
      {[...groups].map(([group, options]) => (
        <Box key={group} component="section" aria-label={group}>
          <Title order={3} size="h5" mb={4}>
            {group}
          </Title>
          <Box className="scroll-x">
            <Table withRowBorders layout="fixed">
              <Table.Tbody>
                {options.map(({ key, value }) => (
                  <Table.Tr key={key}>
                    <Table.Th scope="row" fw={500} w="40%">
                      <Code>{key}</Code>
                    </Table.Th>
                    <Table.Td style={{ overflowWrap: 'anywhere' }}>
                      {valueText(value)}
                      {key === 'template_date' && run.environment?.templatePrintsDate === false && (
                        <Text size="xs" c="dimmed">
                          Not used: the chat template prints no date.
                        </Text>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Box>
        </Box>
      ))}
    </Stack>
  );
}
