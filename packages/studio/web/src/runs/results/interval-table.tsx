// Numbers with their intervals, as a table whose rows share a scale.
import { Box, Table, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { visibleText } from '../../content/invisible.ts';
import { Marked, MarkedNode } from '../../content/marked.tsx';
import { numberText, shareText } from '../numbers.ts';
import { Scroll } from './scroll.tsx';
import { type Scale, scaleOf } from './ticks.ts';

/** A row: a number, and how sure it is. */
export interface IntervalRow {
  name: string;
  /** Below the name. */
  about?: string;
  value: number | null;
  /** null: it is exact, or nothing tells. */
  interval: readonly [number, number] | null;
  /** Of its mark. */
  colour?: string;
  /** Cells after the number, for {@link IntervalTable}'s `columns`. */
  cells?: readonly ReactNode[];
}

const [WIDTH, HEIGHT, EDGE] = [220, 22, 6];

/**
 * @param first heading of the names
 * @param valueName heading of the numbers (default: Value)
 * @param share values are shares from 0 to 1
 * @param line a value to compare with, such as that of no difference
 * @param columns headings of the rows' other cells
 */
export function IntervalTable({
  title,
  note,
  first,
  valueName = 'Value',
  rows,
  share = false,
  line = null,
  columns = [],
}: {
  title: string;
  note?: string;
  first: string;
  valueName?: string;
  rows: readonly IntervalRow[];
  share?: boolean;
  line?: number | null;
  columns?: readonly string[];
}) {
  const known = rows.flatMap(({ value, interval }) => [value ?? Number.NaN, ...(interval ?? [])]);
  const scale = scaleOf(
    [...known, ...(line === null ? [] : [line]), ...(share && line === 0.5 ? [0, 1] : [])],
    [EDGE, WIDTH - EDGE],
  );
  const show = share ? shareText : numberText;
  return (
    <Box component="section" aria-label={visibleText(title)}>
      <Title order={3} size="h4" mb={4}>
        <Marked text={title} />
      </Title>
      {note !== undefined && (
        <Text size="sm" c="dimmed" mb="xs" maw={760}>
          <Marked text={note} />
        </Text>
      )}
      <Scroll label={visibleText(title)}>
        <Table className="numeric" highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{first}</Table.Th>
              <Table.Th>{valueName}</Table.Th>
              <Table.Th>95% interval</Table.Th>
              <Table.Th aria-hidden="true" w={WIDTH}>
                <Ends scale={scale} show={show} />
              </Table.Th>
              {columns.map((column) => (
                <Table.Th key={column}>{column}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(({ name, about, value, interval, colour, cells }) => (
              <Table.Tr key={`${name} ${about ?? ''}`}>
                <Table.Th scope="row" fw={500} maw={320} style={{ overflowWrap: 'anywhere' }}>
                  <Marked text={name} />
                  {about !== undefined && (
                    <Text size="xs" c="dimmed" fw={400}>
                      <Marked text={about} />
                    </Text>
                  )}
                </Table.Th>
                <Table.Td fw={650}>{value === null ? '–' : show(value)}</Table.Td>
                <Table.Td style={{ whiteSpace: 'nowrap' }}>
                  {interval === null ? '–' : `${show(interval[0])} to ${show(interval[1])}`}
                </Table.Td>
                <Table.Td aria-hidden="true" p={0}>
                  <Mark {...{ value, interval, scale, line, colour }} />
                </Table.Td>
                {columns.map((column, at) => (
                  <Table.Td key={column}>
                    <MarkedNode>{cells?.[at] ?? ''}</MarkedNode>
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Scroll>
    </Box>
  );
}

const Ends = ({ scale, show }: { scale: Scale; show: (value: number) => string }) => (
  <Text
    size="xs"
    c="dimmed"
    component="span"
    style={{ display: 'flex', justifyContent: 'space-between', minWidth: WIDTH - 2 * EDGE }}
  >
    <span>{show(scale.ticks[0]!)}</span>
    <span>{show(scale.ticks.at(-1)!)}</span>
  </Text>
);

function Mark({
  value,
  interval,
  scale,
  line,
  colour = 'var(--mantine-primary-color-filled)',
}: {
  value: number | null;
  interval: readonly [number, number] | null;
  scale: Scale;
  line: number | null;
  colour: string | undefined;
}) {
  const middle = HEIGHT / 2;
  return (
    <svg width={WIDTH} height={HEIGHT} style={{ display: 'block' }} aria-hidden="true">
      {line !== null && (
        <line
          {...{ x1: scale.at(line), x2: scale.at(line), y1: 0, y2: HEIGHT }}
          stroke="var(--mantine-color-dimmed)"
          strokeDasharray="2 2"
        />
      )}
      {interval !== null && (
        <line
          {...{ x1: scale.at(interval[0]), x2: scale.at(interval[1]), y1: middle, y2: middle }}
          stroke={colour}
          strokeWidth="2"
        />
      )}
      {value !== null && <circle cx={scale.at(value)} cy={middle} r="4.5" fill={colour} />}
    </svg>
  );
}
