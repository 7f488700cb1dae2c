// One sample: its prompt, its answer, and what differs from the first answer to the same prompt.
import {
  ActionIcon,
  Badge,
  Code,
  Drawer,
  Group,
  SegmentedControl,
  Skeleton,
  Stack,
  Text,
  Title,
} from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, api } from '../../api.ts';
import { type Content, ContentView } from '../../content/content.tsx';
import { Difference } from '../../content/difference.tsx';
import { Failure } from '../../shell/failure.tsx';
import { counted } from '../../shell/words.ts';
import { numberText, valueText } from '../numbers.ts';
import type { Sample } from '../use-runs.ts';

/** Fields that have a place of their own. */
const shown = new Set([
  ...['line', 'step', 'prompt', 'completion', 'reward', 'aspects', 'kl', 'tokens', 'ended'],
]);

/**
 * @param line null: closed
 * @param onMove opens the sample before (-1) or behind (1); null: there is no order
 */
export function SampleDrawer({
  run,
  line,
  onClose,
  onMove,
}: {
  run: string;
  line: number | null;
  onClose: () => void;
  onMove: ((by: number) => void) | null;
}) {
  const sample = useQuery({
    queryKey: ['run', run, 'sample', line],
    queryFn: () => answerOf(api.runs.sample.$get({ query: { run, line: String(line) } })),
    enabled: line !== null,
  });
  useHotkeys(
    line === null || onMove === null
      ? []
      : [
          ['j', () => onMove(1)],
          ['k', () => onMove(-1)],
        ],
  );
  return (
    <Drawer
      opened={line !== null}
      onClose={onClose}
      position="right"
      size="lg"
      title={
        <Group gap="xs">
          <Text fw={650}>Sample {line}</Text>
          {onMove !== null && (
            <>
              <ActionIcon
                variant="default"
                aria-label="Previous sample (k)"
                onClick={() => onMove(-1)}
              >
                <IconChevronLeft size={18} />
              </ActionIcon>
              <ActionIcon variant="default" aria-label="Next sample (j)" onClick={() => onMove(1)}>
                <IconChevronRight size={18} />
              </ActionIcon>
            </>
          )}
        </Group>
      }
    >
      {sample.isError && <Failure error={sample.error} retry={() => void sample.refetch()} />}
      {sample.data === undefined && !sample.isError && <Skeleton h={200} />}
      {sample.data !== undefined && <Whole {...sample.data} />}
    </Drawer>
  );
}

function Whole({ sample, start }: { sample: Sample; start: Sample | null }) {
  const [view, setView] = useState('answer');
  const { step, reward, kl, tokens, ended } = sample;
  const others = Object.entries(sample).filter(([name]) => !shown.has(name));
  return (
    <Stack>
      <Group gap={6} className="numeric">
        <Badge variant="light" tt="none">
          step {step}
        </Badge>
        <Badge variant="light" tt="none">
          reward {numberText(reward)}
        </Badge>
        {kl !== null && (
          <Badge variant="default" tt="none">
            KL {numberText(kl)}
          </Badge>
        )}
        {tokens !== null && (
          <Badge variant="default" tt="none">
            {counted(tokens, 'token')}
            {ended === false && ', cut off'}
          </Badge>
        )}
        {others.map(([name, value]) => (
          <Badge key={name} variant="default" tt="none">
            {name} {typeof value === 'number' ? numberText(value) : valueText(value)}
          </Badge>
        ))}
        {Object.entries(sample.aspects ?? {}).map(([name, value]) => (
          <Badge key={name} variant="default" tt="none">
            {name} {numberText(value)}
          </Badge>
        ))}
      </Group>
      <section aria-label="Prompt">
        <Title order={3} size="h5" mb={4}>
          Prompt
        </Title>
        <ContentView content={sample.prompt as Content} plain />
      </section>
      <section aria-label="Answer">
        <Group justify="space-between" mb={4}>
          <Title order={3} size="h5">
            Answer
          </Title>
          <SegmentedControl
            size="xs"
            aria-label="How the answer is shown"
            value={view}
            onChange={setView}
            data={[
              { value: 'answer', label: 'text' },
              { value: 'difference', label: 'against the start', disabled: start === null },
              { value: 'characters', label: 'characters' },
            ]}
          />
        </Group>
        {view === 'answer' && (
          <Text style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {sample.completion === '' ? <i>empty</i> : sample.completion}
          </Text>
        )}
        {view === 'characters' && <Code block>{JSON.stringify(sample.completion)}</Code>}
        {view === 'difference' && start !== null && (
          <Stack gap="sm">
            <Difference text={sample.completion} other={start.completion} />
            <Text size="xs" c="dimmed">
              The first answer to this prompt, of step {start.step}, reward{' '}
              {numberText(start.reward)}:
            </Text>
            <Difference text={start.completion} other={sample.completion} />
          </Stack>
        )}
        {start === null && (
          <Text size="xs" c="dimmed" mt="xs">
            This prompt was not answered at an earlier step.
          </Text>
        )}
      </section>
    </Stack>
  );
}
