import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type SampleLine, SamplesLog } from './samples-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-samples-'));
const path = join(folder, 'samples.jsonl');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const line = (step: number): SampleLine => ({
  ...{ step, row: 0, prompt: 'x', completion: 'y', reward: 1, kl: null, ended: true, tokens: 2 },
});
const steps = (): number[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text).step);

it('begins anew, or goes on after a step without what came later and without a torn line', () => {
  writeFileSync(path, 'of another run\n');
  const first = new SamplesLog(path);
  first.append([line(1), line(1)]);
  first.append([line(4)]);
  expect(steps()).toEqual([1, 1, 4]);
  appendFileSync(path, '{"step": 7, "pro');
  const second = new SamplesLog(path);
  second.goOnAfter(3);
  second.append([line(4)]);
  expect(steps()).toEqual([1, 1, 4]);
  const third = new SamplesLog(path);
  third.goOnAfter(4);
  third.append([line(5)]);
  expect(steps()).toEqual([1, 1, 4, 5]);
});
