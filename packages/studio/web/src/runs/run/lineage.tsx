// What a run was made from, as a graph from left to right.
import { Anchor, Badge, Box, Stack, Table, Text, Tooltip } from '@mantine/core';
import { Link } from 'wouter';
import { EmptyState } from '../../shell/empty-state.tsx';
import { type RunDetails, runPath } from '../use-runs.ts';
import { layersOf } from './layers.ts';

type Node = RunDetails['lineage']['nodes'][number];

const WIDTH = 210;
const HEIGHT = 62;
const ACROSS = 76;
const DOWN = 18;
/** Longer labels lose their beginning: the end tells more. */
const LABEL = 24;

const colours: Record<Node['kind'], string> = {
  run: 'var(--mantine-primary-color-filled)',
  stage: 'var(--mantine-primary-color-filled)',
  model: 'var(--mantine-color-violet-6)',
  data: 'var(--mantine-color-orange-6)',
  'held-out data': 'var(--mantine-color-yellow-7)',
  reward: 'var(--mantine-color-pink-6)',
  judge: 'var(--mantine-color-grape-6)',
};

export function LineageTab({ run }: { run: RunDetails }) {
  const { nodes, edges } = run.lineage;
  if (edges.length === 0) {
    return (
      <EmptyState title="No lineage">
        Nothing in this folder names a model or data that it was made from.
      </EmptyState>
    );
  }
  const layers = layersOf(nodes, edges);
  const places = new Map(
    layers.flatMap((layer, column) =>
      layer.map(
        (id, row) => [id, { x: column * (WIDTH + ACROSS), y: row * (HEIGHT + DOWN) }] as const,
      ),
    ),
  );
  const width = layers.length * (WIDTH + ACROSS) - ACROSS;
  const height = Math.max(...layers.map(({ length }) => length)) * (HEIGHT + DOWN) - DOWN;
  const labelOf = (id: string): string => nodes.find((one) => one.id === id)?.label ?? id;
  return (
    <Stack gap="lg">
      <Box className="scroll-x" p={4} tabIndex={0} role="group" aria-label="Lineage">
        <Box pos="relative" w={width} h={height}>
          <svg width={width} height={height} style={{ position: 'absolute' }} aria-hidden="true">
            <defs>
              <marker
                {...{ id: 'tip', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7 }}
                {...{ markerHeight: 7, orient: 'auto' }}
              >
                <path d="M0 0L8 4L0 8z" fill="var(--mantine-color-dimmed)" />
              </marker>
            </defs>
            {edges.map(({ from, to, label }) => {
              const [a, b] = [places.get(from), places.get(to)];
              if (a === undefined || b === undefined) return null;
              const [x, y] = [a.x + WIDTH, a.y + HEIGHT / 2];
              const [endX, endY] = [b.x - 2, b.y + HEIGHT / 2];
              const bend = Math.max(30, (endX - x) / 2);
              return (
                <path
                  key={`${from} ${to} ${label}`}
                  className="lineage-edge"
                  d={`M${x} ${y}C${x + bend} ${y} ${endX - bend} ${endY} ${endX} ${endY}`}
                  markerEnd="url(#tip)"
                />
              );
            })}
          </svg>
          {nodes.map((node) => (
            <NodeBox
              key={node.id}
              node={node}
              own={node.run === run.id}
              at={places.get(node.id)!}
            />
          ))}
        </Box>
      </Box>
      <Box className="scroll-x">
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Result</Table.Th>
              <Table.Th>Option</Table.Th>
              <Table.Th>Made from</Table.Th>
              <Table.Th>SHA-256</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {edges.map(({ from, to, label }) => (
              <Table.Tr key={`${from} ${to} ${label}`}>
                <Table.Td>{labelOf(to)}</Table.Td>
                <Table.Td>
                  <Badge variant="default" tt="none" fw={500}>
                    {label}
                  </Badge>
                </Table.Td>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>{labelOf(from)}</Table.Td>
                <Table.Td>
                  <Text size="xs" ff="monospace">
                    {nodes.find((one) => one.id === from)?.sha256?.slice(0, 12) ?? ''}
                  </Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Box>
      {run.usedBy.length > 0 && (
        <Text size="sm">
          Used by{' '}
          {run.usedBy.map((id, at) => (
            <span key={id}>
              {at > 0 && ', '}
              <Anchor component={Link} href={runPath(id)} underline="always">
                {id}
              </Anchor>
            </span>
          ))}
        </Text>
      )}
    </Stack>
  );
}

function NodeBox({ node, own, at }: { node: Node; own: boolean; at: { x: number; y: number } }) {
  const { label, kind, run, gone } = node;
  const short = label.length > LABEL ? `…${label.slice(1 - LABEL)}` : label;
  return (
    <div
      className={own ? 'lineage-node own' : 'lineage-node'}
      style={{
        left: at.x,
        top: at.y,
        width: WIDTH,
        height: HEIGHT,
        borderLeftColor: colours[kind],
      }}
    >
      <Text size="xs" c="dimmed">
        {kind}
        {gone && ', moved or removed'}
      </Text>
      <Tooltip label={label} disabled={short === label}>
        <Text size="sm" fw={own ? 650 : 500} truncate>
          {run === null || own ? (
            short
          ) : (
            <Anchor component={Link} href={runPath(run)} inherit underline="always">
              {short}
            </Anchor>
          )}
        </Text>
      </Tooltip>
    </div>
  );
}
