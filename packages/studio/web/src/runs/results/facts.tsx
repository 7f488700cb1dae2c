// Parts that the results of several commands have.
import { Alert, Stack, Table, Text, Title } from '@mantine/core';
import { IconAlertOctagon, IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Marked, MarkedNode } from '../../content/marked.tsx';
import { shareText } from '../numbers.ts';

const looks = {
  serious: { color: 'red', icon: <IconAlertOctagon />, word: 'Serious' },
  warning: { color: 'yellow', icon: <IconAlertTriangle />, word: 'Warning' },
  note: { color: 'blue', icon: <IconInfoCircle />, word: 'Note' },
} as const;

/** What a reader should know before believing a number. */
export const Findings = ({
  findings,
}: {
  findings: readonly { code: string; severity: keyof typeof looks; text: string }[];
}) =>
  findings.length === 0 ? null : (
    <Stack gap="sm" role="list" aria-label="Findings">
      {findings.map(({ code, severity, text }) => (
        <Alert
          key={code}
          role="listitem"
          color={looks[severity].color}
          icon={looks[severity].icon}
          styles={{ title: { color: 'var(--mantine-color-text)' } }}
          title={`${looks[severity].word}: ${code}`}
        >
          <Text size="sm">
            <Marked text={text} />
          </Text>
        </Alert>
      ))}
    </Stack>
  );

/** Names and values, those without a value left out. */
export const Facts = ({
  title,
  facts,
}: {
  title: string;
  facts: readonly (readonly [name: string, value: ReactNode])[];
}) => (
  <section aria-label={title}>
    <Title order={3} size="h4" mb={4}>
      {title}
    </Title>
    <Table className="numeric" maw={760}>
      <Table.Tbody>
        {facts
          .filter(([, value]) => value !== null)
          .map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" fw={500} w="38%">
                <Marked text={name} />
              </Table.Th>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>
                <MarkedNode>{value}</MarkedNode>
              </Table.Td>
            </Table.Tr>
          ))}
      </Table.Tbody>
    </Table>
  </section>
);

/** `63% (55% to 71%)`; null for no number. */
export const shareWithInterval = (
  share: { value: number; interval: readonly [number, number] } | null,
): string | null =>
  share === null
    ? null
    : `${shareText(share.value)} (${shareText(share.interval[0])} to ${shareText(share.interval[1])})`;
