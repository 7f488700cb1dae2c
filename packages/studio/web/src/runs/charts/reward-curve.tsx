// The reward against what it cost: each point is a step.
import { Card, Group, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { numberText } from '../numbers.ts';
import type { CostPoint } from '../use-runs.ts';

const width = 560;
const height = 250;
const edge = { left: 74, right: 14, top: 12, bottom: 40 };

/** @param isSummed whether the KL is summed over an answer's tokens */
export function RewardCurve({
  points,
  isSummed,
}: {
  points: readonly CostPoint[];
  isSummed: boolean;
}) {
  const [at, setAt] = useState<CostPoint | null>(null);
  if (points.length < 2) return null;
  const across = scale(
    points.map(({ kl }) => kl),
    [edge.left, width - edge.right],
  );
  const up = scale(
    points.map(({ reward }) => reward),
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
          step {shown.step}: reward <b>{numberText(shown.reward)}</b> at a KL of{' '}
          <b>{numberText(shown.kl)}</b>
        </Text>
      </Group>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Reward went from ${numberText(first.reward)} at a KL of ${numberText(first.kl)} to ${numberText(last.reward)} at ${numberText(last.kl)}`}
        style={{ width: '100%', height: 'auto', display: 'block' }}
        onPointerLeave={() => setAt(null)}
      >
        <path
          d={`M${edge.left} ${edge.top}V${height - edge.bottom}H${width - edge.right}`}
          fill="none"
          stroke="var(--studio-line)"
        />
        <g fontSize="12" fill="var(--mantine-color-dimmed)">
          {up.high > up.low && (
            <text x={edge.left - 6} y={edge.top + 8} textAnchor="end">
              {rounded(up.high)}
            </text>
          )}
          <text
            x={edge.left - 6}
            y={up.high > up.low ? height - edge.bottom : up.at(up.low)}
            textAnchor="end"
          >
            {rounded(up.low)}
          </text>
          <text x={edge.left} y={height - edge.bottom + 16}>
            {rounded(across.low)}
          </text>
          <text x={width - edge.right} y={height - edge.bottom + 16} textAnchor="end">
            {rounded(across.high)}
          </text>
          <text x={(edge.left + width) / 2} y={height - 6} textAnchor="middle">
            KL to the reference, nats {isSummed ? 'per answer' : 'per token'}
          </text>
        </g>
        <polyline
          points={points.map(({ kl, reward }) => `${across.at(kl)},${up.at(reward)}`).join(' ')}
          fill="none"
          stroke="var(--mantine-primary-color-filled)"
          strokeOpacity="0.45"
          strokeWidth="1.5"
        />
        {points.map((point) => (
          <circle
            key={point.step}
            cx={across.at(point.kl)}
            cy={up.at(point.reward)}
            r={point === shown ? 5.5 : 3}
            fill="var(--mantine-primary-color-filled)"
            stroke="var(--mantine-color-body)"
            onPointerEnter={() => setAt(point)}
          >
            <title>{`step ${point.step}: reward ${numberText(point.reward)}, KL ${numberText(point.kl)}`}</title>
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
  return {
    low,
    high,
    at: (value: number) => Number((from + share(value) * (to - from)).toFixed(1)),
  };
}

const rounded = (value: number): string => numberText(Number(value.toPrecision(3)));
