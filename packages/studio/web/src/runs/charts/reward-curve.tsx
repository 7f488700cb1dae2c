// The reward against what it cost: each point is a step.
import { Card, Group, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { numberText } from '../numbers.ts';
import type { Series } from '../use-runs.ts';

const width = 560;
const height = 250;
const edge = { left: 58, right: 14, top: 12, bottom: 40 };

interface Point {
  step: number;
  x: number;
  y: number;
}

export function RewardCurve({ reward, kl }: { reward: Series; kl: Series }) {
  const [at, setAt] = useState<Point | null>(null);
  const costs = new Map(kl.steps.map((step, place) => [step, kl.values[place]!]));
  const points = reward.steps.flatMap((step, place): Point[] => {
    const x = costs.get(step);
    return x === undefined ? [] : [{ step, x, y: reward.values[place]! }];
  });
  if (points.length < 2) return null;
  const across = scale(
    points.map(({ x }) => x),
    [edge.left, width - edge.right],
  );
  const up = scale(
    points.map(({ y }) => y),
    [height - edge.bottom, edge.top],
  );
  const [first, last] = [points[0]!, points.at(-1)!];
  const shown = at ?? last;
  return (
    <Card withBorder padding="sm" component="section" aria-label="Reward against KL">
      <Group justify="space-between" mb={4}>
        <Title order={3} size="h5">
          Reward against KL
        </Title>
        <Text size="xs" className="numeric" aria-hidden="true">
          step {shown.step}: reward <b>{numberText(shown.y)}</b> at a KL of{' '}
          <b>{numberText(shown.x)}</b>
        </Text>
      </Group>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Reward went from ${numberText(first.y)} at a KL of ${numberText(first.x)} to ${numberText(last.y)} at ${numberText(last.x)}`}
        style={{ width: '100%', height: 'auto', display: 'block' }}
        onPointerLeave={() => setAt(null)}
      >
        <path
          d={`M${edge.left} ${edge.top}V${height - edge.bottom}H${width - edge.right}`}
          fill="none"
          stroke="var(--studio-line)"
        />
        <g fontSize="12" fill="var(--studio-quiet)">
          <text x={edge.left - 6} y={edge.top + 8} textAnchor="end">
            {numberText(up.high)}
          </text>
          <text x={edge.left - 6} y={height - edge.bottom} textAnchor="end">
            {numberText(up.low)}
          </text>
          <text x={edge.left} y={height - edge.bottom + 16}>
            {numberText(across.low)}
          </text>
          <text x={width - edge.right} y={height - edge.bottom + 16} textAnchor="end">
            {numberText(across.high)}
          </text>
          <text x={(edge.left + width) / 2} y={height - 6} textAnchor="middle">
            KL to the reference, nats per answer
          </text>
        </g>
        <polyline
          points={points.map(({ x, y }) => `${across.at(x)},${up.at(y)}`).join(' ')}
          fill="none"
          stroke="var(--mantine-primary-color-filled)"
          strokeOpacity="0.45"
          strokeWidth="1.5"
        />
        {points.map((point) => (
          <circle
            key={point.step}
            cx={across.at(point.x)}
            cy={up.at(point.y)}
            r={point === shown ? 5.5 : 3}
            fill="var(--mantine-primary-color-filled)"
            stroke="var(--mantine-color-body)"
            onPointerEnter={() => setAt(point)}
          >
            <title>{`step ${point.step}: reward ${numberText(point.y)}, KL ${numberText(point.x)}`}</title>
          </circle>
        ))}
      </svg>
    </Card>
  );
}

/** Maps values to positions between two ends. */
function scale(values: readonly number[], [from, to]: readonly [number, number]) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const share = (value: number): number => (high === low ? 0.5 : (value - low) / (high - low));
  return { low, high, at: (value: number) => Number((from + share(value) * (to - from)).toFixed(1)) };
}
