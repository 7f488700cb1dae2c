// The answers with the highest and the lowest rewards of the last step.
import { Card, SimpleGrid, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api.ts';
import { numberText } from '../numbers.ts';
import type { Sample } from '../use-runs.ts';
import { promptText } from './sample-list.tsx';

export function Extremes({ run, onOpen }: { run: string; onOpen: (line: number) => void }) {
  const found = useQuery({
    queryKey: ['run', run, 'extremes'],
    queryFn: () => answerOf(api.runs.extremes.$get({ query: { run, each: '3' } })),
  });
  // The list below has the same rows, and says what went wrong.
  if (!found.data) return null;
  const { step, best, worst } = found.data;
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <Side title={`Best of step ${step}`} samples={best} onOpen={onOpen} />
      {worst.length > 0 && <Side title={`Worst of step ${step}`} samples={worst} onOpen={onOpen} />}
    </SimpleGrid>
  );
}

const Side = ({
  title,
  samples,
  onOpen,
}: {
  title: string;
  samples: readonly Sample[];
  onOpen: (line: number) => void;
}) => (
  <Card withBorder padding="sm" component="section" aria-label={title}>
    <Title order={3} size="h5" mb={6}>
      {title}
    </Title>
    <Stack gap={8}>
      {samples.map((sample) => (
        <UnstyledButton key={sample.line} onClick={() => onOpen(sample.line)}>
          <Text size="sm" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
            <b className="numeric">{numberText(sample.reward)}</b>{' '}
            <Text span inherit c="dimmed">
              {promptText(sample).slice(0, 120)}
            </Text>{' '}
            {sample.completion}
          </Text>
        </UnstyledButton>
      ))}
    </Stack>
  </Card>
);
