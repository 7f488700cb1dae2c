// How all charts of a page are shown.
import { Button, Group, SegmentedControl, Switch, Text, TextInput } from '@mantine/core';
import { IconSearch, IconZoomReset } from '@tabler/icons-react';
import type { ChartView } from './chart-card.tsx';
import { type Smoothing, smoothings } from './smooth.ts';

export function ChartToolbar({
  view,
  onView,
  filter,
  onFilter,
}: {
  view: ChartView;
  onView: (view: ChartView) => void;
  filter: string;
  onFilter: (text: string) => void;
}) {
  return (
    <Group gap="md" mb="md" align="center">
      <TextInput
        aria-label="Find charts"
        placeholder="Find charts"
        leftSection={<IconSearch size={16} />}
        value={filter}
        onChange={(event) => onFilter(event.currentTarget.value)}
        w={190}
      />
      <Group gap={8}>
        <Text size="sm" id="smoothing">
          Smoothing
        </Text>
        <SegmentedControl
          size="xs"
          aria-labelledby="smoothing"
          data={Object.keys(smoothings)}
          value={view.smoothing}
          onChange={(smoothing) => onView({ ...view, smoothing: smoothing as Smoothing })}
        />
      </Group>
      <Switch
        label="Logarithmic"
        checked={view.logarithmic}
        onChange={(event) => onView({ ...view, logarithmic: event.currentTarget.checked })}
      />
      {view.range !== null && (
        <Button
          size="xs"
          variant="light"
          leftSection={<IconZoomReset size={16} />}
          onClick={() => onView({ ...view, range: null })}
        >
          Steps {view.range[0]} to {view.range[1]}: show all
        </Button>
      )}
      <Text size="xs" c="dimmed" visibleFrom="md">
        Drag over a chart to zoom in, double-click for all steps.
      </Text>
    </Group>
  );
}
