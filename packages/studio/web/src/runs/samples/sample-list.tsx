// The list of samples: only the rows in sight exist, so that thousands scroll smoothly.
import { Box, Group, Text } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { Marked } from '../../content/marked.tsx';
import { Failure } from '../../shell/failure.tsx';
import { counted } from '../../shell/words.ts';
import { numberText } from '../numbers.ts';
import type { Sample } from '../use-runs.ts';
import { PAGE, pageQuery, type SampleFilter } from './use-samples.ts';

const ROW = 62;
/** Widths of the numbers, the prompt and the answer. */
const columns = { gridTemplateColumns: '52px 68px 64px 72px minmax(90px, 1fr) minmax(140px, 2fr)' };

export function SampleList({
  run,
  filter,
  open,
  onOpen,
}: {
  run: string;
  filter: SampleFilter;
  /** Line of the sample that is open. */
  open: number | null;
  onOpen: (line: number, index: number) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [count, setCount] = useState(0);
  const [active, setActive] = useState(0);
  // Other samples start at the top
  useEffect(() => {
    setActive(0);
    box.current?.scrollTo({ top: 0 });
  }, [filter]);
  const rows = useVirtualizer({
    ...{ count, overscan: 8, estimateSize: () => ROW },
    getScrollElement: () => box.current,
  });
  const seen = rows.getVirtualItems();
  const pages = [...new Set([0, ...seen.map(({ index }) => Math.floor(index / PAGE))])];
  const found = useQueries({ queries: pages.map((page) => pageQuery(run, filter, page)) });
  const head = found[0]!;
  const matching = head.data?.matching ?? 0;
  useEffect(() => setCount(matching), [matching]);
  const at = (index: number): Sample | undefined =>
    found[pages.indexOf(Math.floor(index / PAGE))]?.data?.samples[index % PAGE];
  const go = (index: number): void => {
    const next = Math.max(0, Math.min(matching - 1, index));
    setActive(next);
    rows.scrollToIndex(next);
  };
  const onKey = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const by = steps[event.key];
    if (by !== undefined) go(active + by);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(matching - 1);
    else if (event.key === 'Enter') {
      const sample = at(active);
      if (sample !== undefined) onOpen(sample.line, active);
    } else return;
    event.preventDefault();
  };
  if (head.isError) return <Failure error={head.error} retry={() => void head.refetch()} />;
  return (
    <Box>
      <Group justify="space-between" mb={4}>
        <Text size="sm" role="status">
          {head.data === undefined
            ? 'Loading …'
            : matching === head.data.total
              ? counted(matching, 'sample')
              : `${matching.toLocaleString('en')} of ${counted(head.data.total, 'sample')}`}
        </Text>
        <Text size="xs" c="dimmed" visibleFrom="sm">
          Arrow keys move, Enter opens.
        </Text>
      </Group>
      <Box
        ref={box}
        className="sample-list"
        role="grid"
        aria-label="Samples"
        aria-rowcount={matching + 1}
        aria-activedescendant={matching > 0 ? `sample-${active}` : undefined}
        tabIndex={0}
        onKeyDown={onKey}
        h="min(70vh, 640px)"
        style={{ overflow: 'auto', border: '1px solid var(--studio-line)', borderRadius: 8 }}
      >
        <Box miw={640}>
          <Box
            role="row"
            aria-rowindex={1}
            px="sm"
            style={{
              ...columns,
              ...{ display: 'grid', gap: 12, position: 'sticky', top: 0, zIndex: 1 },
              ...{ height: 34, alignItems: 'center', background: 'var(--mantine-color-body)' },
              borderBottom: '1px solid var(--studio-line)',
            }}
          >
            {['Step', 'Reward', 'KL', 'Tokens', 'Prompt', 'Answer'].map((title) => (
              <Text key={title} size="xs" fw={650} role="columnheader">
                {title}
              </Text>
            ))}
          </Box>
          <Box pos="relative" h={rows.getTotalSize()} role="rowgroup">
            {seen.map(({ index, start }) => (
              <Row
                key={index}
                {...{ index, start }}
                sample={at(index)}
                isActive={index === active}
                isOpen={open !== null && at(index)?.line === open}
                onOpen={() => {
                  const sample = at(index);
                  setActive(index);
                  if (sample !== undefined) onOpen(sample.line, index);
                }}
              />
            ))}
          </Box>
        </Box>
        {head.data !== undefined && matching === 0 && (
          <Text c="dimmed" ta="center" py="xl">
            No sample is like this. Clear a filter.
          </Text>
        )}
      </Box>
    </Box>
  );
}

function Row({
  index,
  start,
  sample,
  isActive,
  isOpen,
  onOpen,
}: {
  index: number;
  start: number;
  sample: Sample | undefined;
  isActive: boolean;
  isOpen: boolean;
  onOpen: () => void;
}) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keys
    // biome-ignore lint/a11y/useSemanticElements: a row of a table has no place of its own
    <div
      id={`sample-${index}`}
      className="sample-row"
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isActive || isOpen}
      tabIndex={-1}
      onClick={onOpen}
      style={{
        ...columns,
        ...{ position: 'absolute', top: 0, left: 0, right: 0, height: ROW, padding: '0 12px' },
        ...{ transform: `translateY(${start}px)`, display: 'grid', gap: 12, alignItems: 'center' },
      }}
    >
      {sample === undefined ? (
        <Text size="xs" c="dimmed" role="gridcell">
          …
        </Text>
      ) : (
        <>
          <Cell>{sample.step}</Cell>
          <Cell strong>{numberText(sample.reward)}</Cell>
          <Cell>{numberText(sample.kl)}</Cell>
          <Cell>
            {sample.tokens ?? '–'}
            {sample.ended === false && (
              <Text span size="xs" c="dimmed" title="Cut off at the maximum length">
                {' '}
                cut
              </Text>
            )}
          </Cell>
          <Text size="sm" c="dimmed" className="clip2" role="gridcell">
            <Marked text={promptText(sample)} />
          </Text>
          <Text size="sm" className="clip2" role="gridcell">
            {sample.completion.trim() === '' ? <i>empty</i> : <Marked text={sample.completion} />}
          </Text>
        </>
      )}
    </div>
  );
}

const Cell = ({ strong = false, children }: { strong?: boolean; children: React.ReactNode }) => (
  <Text size="sm" className="numeric" fw={strong ? 650 : 400} role="gridcell">
    {children}
  </Text>
);

/** What was asked last. */
export function promptText({ prompt }: Pick<Sample, 'prompt'>): string {
  if (typeof prompt === 'string') return prompt;
  const last = prompt.at(-1)?.content;
  return typeof last === 'string' ? last : '';
}
