// Compares the files of two runs, byte for byte.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { MetricsLog, type MetricsRow } from '../runs/metrics.ts';

/** Metrics that depend on the clock, which differ between any two runs. */
const timed = /^(tokens_per_second|mfu|time\/.*)$/;

/** Rows of metrics.jsonl without metrics that depend on the clock. */
export const metricsOf = (run: string): MetricsRow[] =>
  MetricsLog.read(join(run, 'metrics.jsonl')).map(
    (row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !timed.test(name))) as MetricsRow,
  );

/** Files of a result that name the run's options and data. */
const descriptions = ['README.md', 'keel.json'];

/**
 * Compares metrics, final weights, and the newest checkpoint with its optimizer and random state;
 * not what describes the run (options, files) in words.
 */
export function expectSameRun(found: string, expected: string): void {
  expect(metricsOf(found)).toEqual(metricsOf(expected));
  const folders = ['final'];
  const checkpoints = join(expected, 'checkpoints');
  if (existsSync(checkpoints)) {
    const steps = readdirSync(checkpoints).map((name) => Number(name.replace('step-', '')));
    folders.push(join('checkpoints', `step-${Math.max(...steps)}`));
  }
  for (const folder of folders) {
    const names = readdirSync(join(expected, folder)).sort();
    expect(names.length).toBeGreaterThan(1);
    expect(readdirSync(join(found, folder)).sort()).toEqual(names);
    for (const name of names) {
      if (descriptions.includes(name)) continue;
      const [ours, theirs] = [found, expected].map((run) => readFileSync(join(run, folder, name)));
      expect(ours!.equals(theirs!), join(folder, name)).toBe(true);
    }
  }
}
