// Writes Chrome's trace format, for chrome://tracing and https://ui.perfetto.dev:
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
import { writeSync } from 'node:fs';
import type { ProfileEvent } from '@keel/torch';
import { fillFileAtomic } from '../files/atomic-write.ts';
import { isStep } from './profile-summary.ts';

/** The format requires a process number. */
const HERE = 1;

/** Memory changes below this share of the whole range do not get their own point. */
const MEMORY_RESOLUTION = 1 / 2000;

const chunk = 4096;

/**
 * Writes a profile: operators and phases as nested bars by thread, memory as a line. Times are in
 * microseconds, as the format requires.
 * @param about further content of the file
 */
export function writeChromeTrace(
  path: string,
  events: readonly ProfileEvent[],
  about: Readonly<Record<string, unknown>>,
): void {
  const threads = numbered(events);
  const memory = memoryPoints(events);
  fillFileAtomic(path, (descriptor) => {
    const write = (text: string): void => {
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    };
    write(`{"displayTimeUnit":"ms","otherData":${JSON.stringify(about)},"traceEvents":[\n`);
    write(titles(threads).map(line).join(',\n'));
    let lines: string[] = [];
    const flush = (): void => {
      if (lines.length > 0) write(`,\n${lines.join(',\n')}`);
      lines = [];
    };
    for (const event of events) {
      const row = event.kind === 'memory' ? memory.get(event) : bar(event, threads);
      if (row === undefined) continue;
      lines.push(line(row));
      if (lines.length >= chunk) flush();
    }
    flush();
    write('\n]}\n');
  });
}

type Row = Record<string, unknown>;
const line = (row: Row): string => JSON.stringify(row);
const micro = (nanoseconds: number): number => nanoseconds / 1000;

function bar({ kind, name, inputs, start, duration, thread }: ProfileEvent, threads: Threads): Row {
  const category = kind === 'range' ? (isStep(name) ? 'step' : 'phase') : kind;
  return {
    ph: 'X',
    cat: category,
    name,
    pid: HERE,
    tid: threads.get(thread),
    ts: micro(start),
    dur: micro(duration),
    ...(inputs === '' ? {} : { args: { inputs } }),
  };
}

type Threads = ReadonlyMap<number, number>;

/** Numbers LibTorch's threads in order of their first event. */
function numbered(events: readonly ProfileEvent[]): Threads {
  const threads = new Map<number, number>();
  for (const { kind, thread } of events) {
    if (kind !== 'memory' && !threads.has(thread)) threads.set(thread, threads.size + 1);
  }
  return threads;
}

function titles(threads: Threads): Row[] {
  const title = (what: string, tid: number, name: string): Row => ({
    ph: 'M',
    name: what,
    pid: HERE,
    tid,
    args: { name },
  });
  return [
    title('process_name', 0, 'keel'),
    ...[...threads.values()].map((tid) =>
      title('thread_name', tid, tid === 1 ? 'training' : `autograd ${tid - 1}`),
    ),
  ];
}

/** Bytes relative to the start, at points where they changed enough to be visible. */
function memoryPoints(events: readonly ProfileEvent[]): Map<ProfileEvent, Row> {
  const points = new Map<ProfileEvent, Row>();
  const devices = new Set(events.flatMap(({ kind, name }) => (kind === 'memory' ? [name] : [])));
  for (const device of devices) {
    const ofDevice = events.filter(({ kind, name }) => kind === 'memory' && name === device);
    let total = 0;
    let [low, high] = [0, 0];
    for (const { bytes } of ofDevice) {
      total += bytes;
      low = Math.min(low, total);
      high = Math.max(high, total);
    }
    const enough = (high - low) * MEMORY_RESOLUTION;
    let shown = Number.NaN;
    total = 0;
    for (const event of ofDevice) {
      total += event.bytes;
      if (Math.abs(total - shown) < enough) continue;
      shown = total;
      points.set(event, {
        ph: 'C',
        name: `memory on ${device}, MB above the start`,
        pid: HERE,
        ts: micro(event.start),
        args: { MB: total / 1e6 },
      });
    }
  }
  return points;
}
