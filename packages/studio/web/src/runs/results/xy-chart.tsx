// A chart of points by two numbers: lines, intervals and labels.
import { Card, Group, Text, Title, useComputedColorScheme } from '@mantine/core';
import { visibleText } from '../../content/invisible.ts';
import { Marked } from '../../content/marked.tsx';
import { colourOf } from '../charts/colours.ts';
import { numberText } from '../numbers.ts';
import { scaleOf } from './ticks.ts';

/** A point, with the interval of its height. */
export interface XyPoint {
  x: number;
  y: number;
  interval?: readonly [number, number] | null;
  /** What it is, in words. */
  name: string;
}

/** Points of one kind. */
export interface XyLine {
  label: string;
  points: readonly XyPoint[];
  /** Place among the colours (default: the line's). */
  colour?: number;
  dashed?: boolean;
  /** Whether it is in the legend (default: true). */
  named?: boolean;
  /** Whether points are marked (default: true), and connected (default: true). */
  marked?: boolean;
  connected?: boolean;
}

const [width, height] = [640, 330];
const edge = { left: 66, right: 16, top: 12, bottom: 46 };

/**
 * @param across what is measured from left to right
 * @param up what is measured upwards
 * @param diagonal whether equal numbers are marked by a line
 */
export function XyChart({
  title,
  note,
  across,
  up,
  lines,
  diagonal = false,
  include = { x: [], y: [] },
}: {
  title: string;
  note?: string;
  across: string;
  up: string;
  lines: readonly XyLine[];
  diagonal?: boolean;
  /** Numbers that must be on the axes. */
  include?: { x: readonly number[]; y: readonly number[] };
}) {
  const isDark = useComputedColorScheme('light') === 'dark';
  const points = lines.flatMap((line) => line.points);
  if (points.length === 0) return null;
  const x = scaleOf(
    [...points.map((one) => one.x), ...include.x],
    [edge.left, width - edge.right],
    8,
  );
  const y = scaleOf(
    [...points.flatMap((one) => [one.y, ...(one.interval ?? [])]), ...include.y],
    [height - edge.bottom, edge.top],
  );
  const [low, high] = [
    Math.max(x.ticks[0]!, y.ticks[0]!),
    Math.min(x.ticks.at(-1)!, y.ticks.at(-1)!),
  ];
  const colour = ({ colour: own }: XyLine, at: number): string => colourOf(own ?? at, isDark);
  const described = lines.map(({ label, points: own }) => {
    const last = own.at(-1);
    return last === undefined ? label : `${label}: ${last.name}, ${numberText(last.y)}`;
  });
  return (
    <Card withBorder padding="sm" component="section" aria-label={visibleText(title)}>
      <Title order={3} size="h5">
        <Marked text={title} />
      </Title>
      {note !== undefined && (
        <Text size="sm" c="dimmed" maw={760}>
          {note}
        </Text>
      )}
      <Group gap="md" my={4} aria-hidden="true">
        {lines.map(
          (line, at) =>
            line.named !== false && (
              <Text key={line.label} size="xs" component="span">
                <span
                  className={line.dashed ? 'key held' : 'key'}
                  style={{ borderColor: colour(line, at) }}
                />{' '}
                <Marked text={line.label} />
              </Text>
            ),
        )}
      </Group>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={visibleText(`${title}. ${described.join('. ')}`)}
        style={{ width: '100%', maxWidth: 760, height: 'auto', display: 'block' }}
      >
        <g fontSize="12" fill="var(--mantine-color-dimmed)" stroke="none">
          {y.ticks.map((tick) => (
            <g key={tick}>
              <path
                d={`M${edge.left} ${y.at(tick)}H${width - edge.right}`}
                stroke="var(--studio-line)"
              />
              <text x={edge.left - 8} y={y.at(tick)} dy=".35em" textAnchor="end">
                {numberText(tick)}
              </text>
            </g>
          ))}
          {x.ticks.map((tick) => (
            <text key={tick} x={x.at(tick)} y={height - edge.bottom + 18} textAnchor="middle">
              {numberText(tick)}
            </text>
          ))}
          <text x={(edge.left + width) / 2} y={height - 6} textAnchor="middle">
            {across}
          </text>
          <text
            transform={`translate(13 ${(height - edge.bottom) / 2}) rotate(-90)`}
            textAnchor="middle"
          >
            {up}
          </text>
        </g>
        {diagonal && (
          <path
            d={`M${x.at(low)} ${y.at(low)}L${x.at(high)} ${y.at(high)}`}
            stroke="var(--mantine-color-dimmed)"
            strokeDasharray="4 4"
          />
        )}
        {lines.map((line, at) => {
          const own = colour(line, at);
          const { points: drawn, dashed = false, marked = true, connected = true } = line;
          return (
            <g key={line.label}>
              {connected && (
                <polyline
                  points={drawn.map((one) => `${x.at(one.x)},${y.at(one.y)}`).join(' ')}
                  fill="none"
                  stroke={own}
                  strokeWidth="1.8"
                  strokeDasharray={dashed ? '5 4' : undefined}
                />
              )}
              {marked &&
                drawn.map((one) => (
                  <g key={`${one.name} ${one.x}`}>
                    {one.interval && (
                      <path
                        d={`M${x.at(one.x)} ${y.at(one.interval[0])}V${y.at(one.interval[1])}`}
                        stroke={own}
                        strokeOpacity="0.45"
                      />
                    )}
                    <circle cx={x.at(one.x)} cy={y.at(one.y)} r="3.5" fill={own}>
                      <title>
                        {visibleText(`${line.label}, ${one.name}: ${numberText(one.y)}`)}
                      </title>
                    </circle>
                  </g>
                ))}
            </g>
          );
        })}
      </svg>
    </Card>
  );
}
