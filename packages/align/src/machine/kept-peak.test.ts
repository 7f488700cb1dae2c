import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomState, setThreads, threads } from '@keel/torch';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { keepPeak, keptPeak, machinePeak, raisedPeak } from './kept-peak.ts';
import { measureMatmulPeak } from './matmul-peak.ts';
import { measureMemoryBandwidth } from './memory-bandwidth.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-peak-'));
const before = { cache: process.env.KEEL_CACHE, threads: threads() };
let caches = 0;
let cache: string;
beforeEach(() => {
  cache = join(folder, String(caches++));
  process.env.KEEL_CACHE = cache;
  setThreads(1);
});
afterAll(() => {
  if (before.cache === undefined) delete process.env.KEEL_CACHE;
  else process.env.KEEL_CACHE = before.cache;
  setThreads(before.threads);
  rmSync(folder, { recursive: true, force: true });
});

const machine = { precision: 'fp32', device: 'cpu' };
const files = (): string[] =>
  readdirSync(join(cache, 'machine')).map((name) => join(cache, 'machine', name));

it('is measured once, reported, and cached', () => {
  const state = randomState();
  const messages: string[] = [];
  const first = machinePeak(machine, (text) => messages.push(text));
  expect(first.flops).toBeGreaterThan(1e6);
  expect(messages).toHaveLength(1);
  expect(messages[0]).toMatch(/GFLOP\/s \(fp32, 1 threads\).*`keel doctor --bench`/);
  expect(machinePeak(machine, (text) => messages.push(text))).toMatchObject(first);
  expect(messages).toHaveLength(1);
  expect(randomState()).toEqual(state);
});

it('each precision and number of threads has its own peak', () => {
  keepPeak({ flops: 5e9, size: 512 }, 'fp32');
  expect(keptPeak('fp32')).toMatchObject({ flops: 5e9, threads: 1, precision: 'fp32' });
  expect(keptPeak('bf16')).toBeNull();
  setThreads(2);
  expect(keptPeak('fp32')).toBeNull();
});

it('a new measurement replaces the cached one', () => {
  keepPeak({ flops: 5e9, size: 512 }, 'fp32');
  keepPeak({ flops: 7e9, size: 512 }, 'fp32');
  expect(machinePeak(machine).flops).toBe(7e9);
  expect(files()).toHaveLength(1);
  const { key } = JSON.parse(readFileSync(files()[0]!, 'utf8'));
  expect(key).toMatchObject({ threads: 1, precision: 'fp32', device: 'cpu' });
});

it('a peak below the speed of a step is measured again, and is at least that speed', () => {
  keepPeak({ flops: 5e9, size: 512 }, 'fp32');
  expect(raisedPeak(machine, 6e9, () => ({ flops: 9e9, size: 1024 })).flops).toBe(9e9);
  expect(machinePeak(machine)).toMatchObject({ flops: 9e9, size: 1024 });
  expect(raisedPeak(machine, 1e10, () => ({ flops: 4e9, size: 512 })).flops).toBe(1e10);
  expect(machinePeak(machine).flops).toBe(1e10);
});

it('a damaged file is measured again', () => {
  keepPeak({ flops: 5e9, size: 512 }, 'fp32');
  for (const text of ['{"peak"', '{"peak":{"flops":0}}', 'null']) {
    writeFileSync(files()[0]!, text);
    expect(keptPeak('fp32')).toBeNull();
  }
  expect(machinePeak(machine).flops).not.toBe(5e9);
  expect(keptPeak('fp32')).not.toBeNull();
});

it('without a usable cache, it is still measured and reported', () => {
  const file = join(folder, 'no-folder');
  writeFileSync(file, '');
  process.env.KEEL_CACHE = file;
  const messages: string[] = [];
  expect(machinePeak(machine, (text) => messages.push(text)).flops).toBeGreaterThan(1e6);
  expect(messages.at(-1)).toContain(file);
});

it('uses the best of the sizes that fit into the time', () => {
  const peak = measureMatmulPeak('bf16', { sizes: [64, 128], secondsPerSize: 0.01 });
  expect([64, 128]).toContain(peak.size);
  expect(measureMatmulPeak('fp32', { sizes: [64, 1e6], secondsPerSize: 0.01 }).size).toBe(64);
});

it('reads and copies an array', () => {
  const { read, copy, bytes } = measureMemoryBandwidth({ bytes: 8e6, seconds: 0.01 });
  expect(bytes).toBe(8e6);
  expect(Math.min(read, copy)).toBeGreaterThan(1e6);
});
