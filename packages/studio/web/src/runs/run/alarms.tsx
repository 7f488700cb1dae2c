// What the checks of a run found, with the numbers that it is based on.
import { Alert, Badge, Group, Stack, Text } from '@mantine/core';
import { IconAlertOctagon, IconAlertTriangle, IconShieldCheck } from '@tabler/icons-react';
import { counted } from '../../shell/words.ts';
import { numberText } from '../numbers.ts';
import type { RunDetails } from '../use-runs.ts';

export function Alarms({ notices }: { notices: RunDetails['notices'] }) {
  const { findings, checked, by } = notices;
  if (findings.length === 0) {
    if (by === null) return null;
    return (
      <Group gap={8} mb="md" wrap="nowrap" align="flex-start">
        <IconShieldCheck size={20} color="var(--mantine-color-green-8)" style={{ flexShrink: 0 }} />
        <Text size="sm" c="dimmed">
          {checked.length === 0
            ? 'The health checks have found nothing so far.'
            : `Nothing found by ${counted(checked.length, 'health check')}: ${checked.map((one) => one.looksAt).join('; ')}.`}
        </Text>
      </Group>
    );
  }
  const sorted = findings.toSorted((a, b) => rank(a) - rank(b));
  return (
    <Stack gap="sm" mb="md" role="list" aria-label="Health">
      {sorted.map((finding) => (
        <Alert
          key={finding.code}
          role="listitem"
          color={finding.severity === 'serious' ? 'red' : 'yellow'}
          icon={finding.severity === 'serious' ? <IconAlertOctagon /> : <IconAlertTriangle />}
          styles={{ title: { color: 'var(--mantine-color-text)' } }}
          title={`${finding.severity === 'serious' ? 'Serious' : 'Warning'}: ${finding.code}`}
        >
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            After step {finding.step}, {finding.what}.
          </Text>
          <Text size="sm" mt={4}>
            {finding.advice}
          </Text>
          {Object.keys(finding.evidence).length > 0 && (
            <Group gap={6} mt={8}>
              <Text size="xs" c="dimmed">
                Evidence
              </Text>
              {Object.entries(finding.evidence).map(([name, value]) => (
                <Badge key={name} variant="default" tt="none" fw={500} className="numeric">
                  {name} {numberText(value)}
                </Badge>
              ))}
            </Group>
          )}
          {by === 'studio' && (
            <Text size="xs" c="dimmed" mt={6}>
              Found here, by the rules of Keel's own runs.
            </Text>
          )}
        </Alert>
      ))}
    </Stack>
  );
}

const rank = ({ severity }: { severity: string }): number => (severity === 'serious' ? 0 : 1);
