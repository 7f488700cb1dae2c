// The numbers that a run's report shows first: before and after.
import { Card, Group, SimpleGrid, Text } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { numberText, shareText } from '../numbers.ts';
import type { RunDetails } from '../use-runs.ts';

type Headline = RunDetails['headlines'][number];

export const headlineText = ({ unit }: Pick<Headline, 'unit'>, value: number): string =>
  unit === 'share' ? shareText(value) : numberText(value);

export function Headlines({ headlines }: { headlines: readonly Headline[] }) {
  if (headlines.length === 0) return null;
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} mb="md" spacing="sm">
      {headlines.map((headline) => (
        <Card key={headline.label} withBorder padding="sm">
          <Text size="sm" c="dimmed">
            {headline.label}
          </Text>
          <Group gap={8} className="numeric">
            {headline.before !== null && (
              <>
                <Text size="lg" c="dimmed">
                  {headlineText(headline, headline.before)}
                </Text>
                <IconArrowRight size={16} aria-label="then" />
              </>
            )}
            <Text size="lg" fw={650}>
              {headlineText(headline, headline.after)}
            </Text>
          </Group>
          {headline.note !== null && (
            <Text size="xs" c="dimmed">
              {headline.note}
            </Text>
          )}
        </Card>
      ))}
    </SimpleGrid>
  );
}
