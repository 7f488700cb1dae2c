import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MetricsLog, type MetricsRow } from './metrics.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-metrics-'));
  path = join(folder, 'metrics.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(steps: number[]): void {
  using log = MetricsLog.open(path);
  for (const step of steps) log.append({ step, loss: step / 8 });
}

const steps = (): number[] => MetricsLog.read(path).map(({ step }) => step);

test('one line per row, read back unchanged', () => {
  using log = MetricsLog.open(path);
  const rows: MetricsRow[] = [
    { step: 1, loss: Math.LN2, 'rewards/margins': -0.5 },
    {
      step: 2,
      loss: Number.NaN,
      grad_norm: Number.POSITIVE_INFINITY,
      low: Number.NEGATIVE_INFINITY,
    },
  ];
  for (const row of rows) log.append(row);
  log.sync();
  expect(readFileSync(path, 'utf8').split('\n')[1]).toBe(
    '{"step":2,"loss":"NaN","grad_norm":"Infinity","low":"-Infinity"}',
  );
  expect(MetricsLog.read(path)).toEqual(rows);
});

test('a new run starts an empty file', () => {
  write([1, 2]);
  write([1]);
  expect(steps()).toEqual([1]);
});

test('on resume, lines after the checkpoint are removed and the file continues', () => {
  write([0, 1, 2, 3, 4]);
  const before = readFileSync(path, 'utf8').split('\n').slice(0, 3);
  {
    using log = MetricsLog.open(path, 2);
    log.append({ step: 3, loss: 9 });
  }
  const after = readFileSync(path, 'utf8').split('\n');
  expect(after.slice(0, 3)).toEqual(before);
  expect(steps()).toEqual([0, 1, 2, 3]);
});

test('an incomplete last line is dropped, wherever it was cut', () => {
  write([1, 2]);
  const whole = readFileSync(path, 'utf8');
  const third = '{"step":3,"loss":0.375}\n';
  for (let length = 1; length < third.length; length++) {
    writeFileSync(path, whole + third.slice(0, length));
    expect(steps()).toEqual([1, 2]);
    MetricsLog.open(path, 2).close();
    expect(readFileSync(path, 'utf8')).toBe(whole);
  }
});

test('a damaged earlier line is an error that names it', () => {
  write([1]);
  appendFileSync(path, '{"loss": 1}\n{"step":3}\n');
  expect(() => MetricsLog.read(path)).toThrow(
    `${path}:2: expected a JSON object with a number "step"`,
  );
});

test('a missing file has no rows', () => {
  expect(MetricsLog.read(path)).toEqual([]);
});
