// A chart of curves over steps: uPlot in a component.
import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { type RefObject, useEffect, useRef } from 'react';
import UPlot from 'uplot';
import { numberText, tickTexts } from '../numbers.ts';
import type { Range } from '../use-runs.ts';
import { join, type LinePoints } from './join.ts';

/** A line as it is drawn. */
export interface DrawnLine extends LinePoints {
  label: string;
  colour: string;
  dash?: number[] | undefined;
  /** Few points, which are marked. */
  heldOut: boolean;
  /** The steps behind a smoothed line. */
  faint?: boolean;
  /** It has one point, which is no line. */
  lone?: boolean;
}

/** All charts of a page show the cursor at the same step. */
const cursors = UPlot.sync('runs');

const HEIGHT = 220;

/** Distances of ticks: there is nothing between two steps. */
const wholeSteps = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
);

/**
 * @param onCursor receives the place in the table of lines at which the cursor is; null: it left
 * @param onRange receives the steps that were selected by dragging; null: double-click, for all
 */
export function Plot({
  lines,
  share,
  logarithmic,
  range,
  marks,
  label,
  onCursor,
  onRange,
  plot,
}: {
  lines: readonly DrawnLine[];
  share: boolean;
  logarithmic: boolean;
  range: Range;
  /** Steps with values that are not finite. */
  marks: readonly number[];
  /** The chart in words. */
  label: string;
  onCursor: (step: number | null) => void;
  onRange: (range: Range) => void;
  /** Receives the chart, for a picture of it. */
  plot: RefObject<UPlot | null>;
}) {
  const isDark = useComputedColorScheme('light') === 'dark';
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef({ onCursor, onRange, range, marks });
  latest.current = { onCursor, onRange, range, marks };
  const data = join(lines.map((line) => (logarithmic ? positive(line) : line)));
  const latestData = useRef(data);
  latestData.current = data;
  // The chart is made again only where its lines look otherwise.
  const look = JSON.stringify([
    lines.map((one) => [one.label, one.colour, one.dash, one.heldOut, one.faint, one.lone]),
    ...[share, logarithmic, isDark],
  ]);

  // `look` has all that is drawn
  useEffect(() => {
    const ink = isDark ? '#a6adb4' : '#5c636a';
    const grid = isDark ? '#ffffff14' : '#0000000f';
    const axis = {
      stroke: ink,
      grid: { stroke: grid, width: 1 },
      ticks: { stroke: grid, width: 1 },
    };
    const made = new UPlot(
      {
        width: box.current!.clientWidth || 200,
        height: HEIGHT,
        scales: {
          x: { time: false, range: (_, low, high) => [...(latest.current.range ?? [low, high])] },
          y: logarithmic ? { distr: 3 } : { range: (_, low, high) => withRoom(low, high, share) },
        },
        legend: { show: false },
        cursor: {
          y: false,
          sync: { key: cursors.key, setSeries: false },
          drag: { x: true, y: false, setScale: false },
          points: { size: 7 },
        },
        axes: [
          {
            ...axis,
            incrs: wholeSteps,
            size: 32,
            font: '12px system-ui',
            values: (_, all) => all.map(numberText),
          },
          {
            ...axis,
            ...{ size: 62, font: '12px system-ui' },
            values: (_, all) => tickTexts(all, share),
          },
        ],
        series: [
          {},
          ...lines.map(({ label, colour, dash, heldOut, faint, lone }) => ({
            ...{ label, stroke: faint ? `${colour}55` : colour, width: faint ? 1 : 2 },
            ...(heldOut ? { dash: [2, 4] } : dash && { dash }),
            spanGaps: true,
            points: heldOut || lone ? { show: true, size: 7, fill: colour } : { show: false },
          })),
        ],
        hooks: {
          setCursor: [
            (self) => {
              const at = self.cursor.idx;
              const inside = (self.cursor.left ?? -1) >= 0 && at != null;
              latest.current.onCursor(inside ? self.data[0][at]! : null);
            },
          ],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width < 4) return;
              const from = Math.round(self.posToVal(left, 'x'));
              const to = Math.round(self.posToVal(left + width, 'x'));
              self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
              if (to > from) latest.current.onRange([from, to]);
            },
          ],
          draw: [(self) => drawMarks(self, latest.current.marks)],
          ready: [
            (self) => self.over.addEventListener('dblclick', () => latest.current.onRange(null)),
          ],
        },
      },
      latestData.current as UPlot.AlignedData,
      box.current!,
    );
    plot.current = made;
    const resized = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry!.contentRect.width);
      if (width > 0) made.setSize({ width, height: HEIGHT });
    });
    resized.observe(box.current!);
    return () => {
      resized.disconnect();
      plot.current = null;
      made.destroy();
    };
  }, [look]);

  const content = JSON.stringify([data, range, marks]);
  // `content` has all that is drawn
  useEffect(() => {
    plot.current?.setData(latestData.current as UPlot.AlignedData);
  }, [content]);

  return (
    <div className="chart" ref={box} role="img" aria-label={label} style={{ height: HEIGHT }} />
  );
}

/** A logarithmic scale has no place for other values. */
function positive({ steps, values }: LinePoints): LinePoints {
  const kept = values.flatMap((value, at) => (value > 0 ? [at] : []));
  return { steps: kept.map((at) => steps[at]!), values: kept.map((at) => values[at]!) };
}

/** A little room above and below; a line that is flat is in the middle. */
function withRoom(low: number | null, high: number | null, share: boolean): [number, number] {
  if (low === null || high === null) return [0, 1];
  // Nothing is below 0% or above 100%; a line there is not hidden by the frame.
  if (share && low === high && (low === 0 || low === 1)) return [-0.02, 1.02];
  const room = high > low ? (high - low) * 0.08 : Math.abs(high) * 0.1 || 1;
  // Shares and counts start at 0 where that is near.
  const start =
    low >= 0 && low - room < 0 ? Math.min(0, low) - (low === 0 ? room / 4 : 0) : low - room;
  return [start, high + room];
}

/** A triangle at the top of each step whose value is not finite. */
function drawMarks(self: UPlot, marks: readonly number[]): void {
  const { ctx, bbox } = self;
  ctx.save();
  ctx.fillStyle = '#e03131';
  for (const step of marks) {
    const x = self.valToPos(step, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x - 6, bbox.top);
    ctx.lineTo(x + 6, bbox.top);
    ctx.lineTo(x, bbox.top + 10);
    ctx.fill();
  }
  ctx.restore();
}
