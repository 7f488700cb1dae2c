// Sampled answers of a run: filtered, sorted, and read one by one.
import {
  Button,
  Group,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconMessages, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, api } from '../../api.ts';
import { EmptyState } from '../../shell/empty-state.tsx';
import type { RunDetails } from '../use-runs.ts';
import { Extremes } from './extremes.tsx';
import { SampleDrawer } from './sample-drawer.tsx';
import { SampleList } from './sample-list.tsx';
import { noFilter, pageQuery, type SampleFilter, sampleQuery } from './use-samples.ts';

const sorts = [
  { value: 'line', label: 'In order, first first' },
  { value: '-line', label: 'In order, last first' },
  { value: '-reward', label: 'Highest reward' },
  { value: 'reward', label: 'Lowest reward' },
  { value: '-kl', label: 'Highest KL' },
  { value: '-tokens', label: 'Longest' },
  { value: 'tokens', label: 'Shortest' },
] as const;

export function SamplesTab({ run }: { run: RunDetails }) {
  const [filter, setFilter] = useState<SampleFilter>(noFilter);
  const [debounced] = useDebouncedValue(filter, 250);
  const [open, setOpen] = useState<{ line: number; index: number | null } | null>(null);
  const first = useQuery(pageQuery(run.id, debounced, 0));
  if (run.samples === 0) {
    return (
      <EmptyState title="No samples" icon={<IconMessages size={40} stroke={1.4} />}>
        {run.kind === 'training'
          ? 'Runs with a reward write the answers that they sample, with the first step. This run has none so far.'
          : 'This trainer recorded no answers. TRL does with log_completions=True.'}
      </EmptyState>
    );
  }
  const number = (text: string | number): number | undefined =>
    text === '' || !Number.isFinite(Number(text)) ? undefined : Number(text);
  const matching = first.data?.matching ?? 0;
  /** Opens the sample before or behind the open one. */
  const move = async (by: number): Promise<void> => {
    if (open?.index == null) return;
    const index = open.index + by;
    if (index < 0 || index >= matching) return;
    const { samples } = await answerOf(
      api.runs.samples.$get({ query: sampleQuery(run.id, debounced, index, 1) }),
    );
    if (samples[0] !== undefined) setOpen({ line: samples[0].line, index });
  };
  return (
    <Stack>
      <Extremes run={run.id} onOpen={(line) => setOpen({ line, index: null })} />
      <Group align="flex-end" gap="sm" role="search" aria-label="Filter samples">
        <TextInput
          label="Text"
          placeholder="in prompt or answer"
          leftSection={<IconSearch size={16} />}
          value={filter.text}
          onChange={(event) => setFilter({ ...filter, text: event.currentTarget.value })}
          w={210}
        />
        <Stack gap={2}>
          <Text size="sm" fw={500} id="sample-rows">
            Prompts
          </Text>
          <SegmentedControl
            aria-labelledby="sample-rows"
            data={[
              { value: 'all', label: 'all' },
              { value: 'training', label: 'training' },
              { value: 'heldOut', label: 'held out' },
            ]}
            value={filter.rows}
            onChange={(rows) => setFilter({ ...filter, rows: rows as SampleFilter['rows'] })}
          />
        </Stack>
        <NumberInput
          label="From step"
          w={100}
          value={filter.fromStep ?? ''}
          onChange={(text) => setFilter({ ...filter, fromStep: number(text) })}
          allowDecimal={false}
          hideControls
        />
        <NumberInput
          label="To step"
          w={100}
          value={filter.toStep ?? ''}
          onChange={(text) => setFilter({ ...filter, toStep: number(text) })}
          allowDecimal={false}
          hideControls
        />
        <NumberInput
          label="Reward from"
          w={110}
          value={filter.minReward ?? ''}
          onChange={(text) => setFilter({ ...filter, minReward: number(text) })}
          hideControls
        />
        <NumberInput
          label="to"
          aria-label="Reward to"
          w={100}
          value={filter.maxReward ?? ''}
          onChange={(text) => setFilter({ ...filter, maxReward: number(text) })}
          hideControls
        />
        <Select
          label="Sort"
          w={190}
          data={[...sorts]}
          value={filter.sort}
          onChange={(sort) => setFilter({ ...filter, sort: sort ?? 'line' })}
          allowDeselect={false}
        />
        {filter !== noFilter && (
          <Button variant="subtle" onClick={() => setFilter(noFilter)}>
            Clear
          </Button>
        )}
      </Group>
      <SampleList
        run={run.id}
        filter={debounced}
        open={open?.line ?? null}
        onOpen={(line, index) => setOpen({ line, index })}
      />
      <SampleDrawer
        run={run.id}
        line={open?.line ?? null}
        onClose={() => setOpen(null)}
        onMove={open?.index == null ? null : (by) => void move(by)}
      />
    </Stack>
  );
}
