// The answers with the highest and the lowest rewards: of the last step, of any other, or of all.
import {
  ActionIcon,
  Card,
  Group,
  NumberInput,
  SegmentedControl,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  Title,
  UnstyledButton,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, api } from '../../api.ts';
import { Marked } from '../../content/marked.tsx';
import { numberText } from '../numbers.ts';
import type { Sample } from '../use-runs.ts';
import { promptText } from './sample-list.tsx';

/** Answers of each side. */
const EACH = 3;
/** Two lines of text, the height of an answer: what comes later moves nothing. */
const LINES = 'calc(2 * var(--mantine-font-size-sm) * var(--mantine-line-height-sm))';

/** Which steps are looked at: the last one also when more come. */
type Choice = 'last' | 'step' | 'all';

export function Extremes({ run, onOpen }: { run: string; onOpen: (line: number) => void }) {
  const [choice, setChoice] = useState<Choice>('last');
  const [asked, setAsked] = useState<number | string>('');
  const [debounced] = useDebouncedValue(asked, 250);
  const step = choice === 'step' && debounced !== '' ? Number(debounced) : null;
  const found = useQuery({
    queryKey: ['run', run, 'extremes', choice === 'step' ? step : choice],
    queryFn: () =>
      answerOf(
        api.runs.extremes.$get({
          query: {
            run,
            each: String(EACH),
            step: choice === 'step' ? String(step ?? 'last') : choice,
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  if (found.isPending) return <Waiting />;
  // The list below has the same rows, and says what went wrong.
  if (!found.data) return null;
  const { step: shown, previous, next, first, last, best, worst } = found.data;
  const go = (to: number | null): void => {
    if (to === null) return;
    setChoice('step');
    setAsked(to);
  };
  const name = shown === null ? 'all steps' : `step ${shown.toLocaleString('en')}`;
  return (
    <Stack gap="xs" component="section" aria-label="Best and worst answers">
      <Group gap="sm">
        <SegmentedControl
          aria-label="Steps of the best and the worst answers"
          data={[
            { value: 'last', label: 'last step' },
            { value: 'step', label: 'a step' },
            { value: 'all', label: 'all steps' },
          ]}
          value={choice}
          onChange={(value) => {
            if (value === 'step') setAsked(shown ?? last);
            setChoice(value as Choice);
          }}
        />
        {choice === 'step' && (
          <Group gap={6}>
            <ActionIcon
              variant="default"
              size="input-sm"
              aria-label="Step before"
              disabled={previous === null}
              onClick={() => go(previous)}
            >
              <IconChevronLeft size={18} />
            </ActionIcon>
            <NumberInput
              aria-label="Step"
              w={100}
              min={first}
              max={last}
              allowDecimal={false}
              hideControls
              value={asked}
              onChange={setAsked}
            />
            <ActionIcon
              variant="default"
              size="input-sm"
              aria-label="Step after"
              disabled={next === null}
              onClick={() => go(next)}
            >
              <IconChevronRight size={18} />
            </ActionIcon>
            <Text size="sm" c="dimmed">
              from {first.toLocaleString('en')} to {last.toLocaleString('en')}
            </Text>
          </Group>
        )}
      </Group>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Side title={`Best of ${name}`} samples={best} withStep={shown === null} onOpen={onOpen} />
        {worst.length > 0 && (
          <Side
            title={`Worst of ${name}`}
            samples={worst}
            withStep={shown === null}
            onOpen={onOpen}
          />
        )}
      </SimpleGrid>
    </Stack>
  );
}

/** As high as what is waited for. */
const Waiting = () => (
  <Stack gap="xs" aria-hidden>
    <Skeleton h="calc(2.25rem * var(--mantine-scale))" w="calc(16rem * var(--mantine-scale))" />
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      {['best', 'worst'].map((side) => (
        <Card withBorder padding="sm" key={side}>
          <Title order={3} size="h5" mb={6}>
            …
          </Title>
          <Stack gap={8}>
            {Array.from({ length: EACH }, (_, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: they never change places
              <Skeleton key={at} h={LINES} />
            ))}
          </Stack>
        </Card>
      ))}
    </SimpleGrid>
  </Stack>
);

const Side = ({
  title,
  samples,
  withStep,
  onOpen,
}: {
  title: string;
  samples: readonly Sample[];
  withStep: boolean;
  onOpen: (line: number) => void;
}) => (
  <Card withBorder padding="sm" component="section" aria-label={title}>
    <Title order={3} size="h5" mb={6}>
      {title}
    </Title>
    <Stack gap={8}>
      {samples.map((sample) => (
        <UnstyledButton mih={LINES} key={sample.line} onClick={() => onOpen(sample.line)}>
          <Text size="sm" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
            <b className="numeric">{numberText(sample.reward)}</b>{' '}
            <Text span inherit c="dimmed">
              {withStep && `step ${sample.step}, `}
              <Marked text={promptText(sample).slice(0, 120)} />
            </Text>{' '}
            <Marked text={sample.completion} />
          </Text>
        </UnstyledButton>
      ))}
    </Stack>
  </Card>
);
