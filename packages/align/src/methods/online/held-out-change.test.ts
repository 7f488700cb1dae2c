import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SampleLine } from '../../runs/samples-log.ts';
import {
  heldOutAnswers,
  readHeldOutChange,
  rewardHeadline,
  rewardRise,
} from './held-out-change.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-held-out-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const line = (step: number, row: number, reward: number, heldOut = true): SampleLine => ({
  ...{ step, row, reward, prompt: `p${row}`, completion: `a${step}` },
  ...(heldOut && { held_out: true }),
  ...{ kl: 0, ended: true, tokens: 3 },
});

function change(lines: readonly SampleLine[]) {
  const path = join(folder, 'samples.jsonl');
  writeFileSync(path, lines.map((one) => `${JSON.stringify(one)}\n`).join(''));
  return readHeldOutChange(path);
}

test('compares the first evaluation with the last, prompt by prompt', () => {
  const found = change([
    ...[line(0, 0, 1), line(0, 1, 3), line(0, 2, 9)],
    line(1, 0, 100, false),
    ...[line(5, 1, 8), line(5, 0, 8)],
    ...[line(9, 1, 4), line(9, 0, 2)],
  ])!;
  // Row 2 was not answered at the end, so it is excluded.
  expect(found.before.map(({ row, reward }) => [row, reward])).toEqual([
    [0, 1],
    [1, 3],
  ]);
  expect(found.after.map(({ row, reward }) => [row, reward])).toEqual([
    [0, 2],
    [1, 4],
  ]);
  // Each prompt gained 1: pairing leaves no spread, although rewards differ by 2.
  const rise = rewardRise(found);
  expect(rise).toEqual({ before: 2, after: 3, difference: 1, interval: [1, 1] });
  expect(rewardHeadline(found, 'Held-out reward')).toMatchObject({
    before: { value: 2, interval: [1, 3] },
    after: { value: 3, interval: [2, 4] },
    difference: [1, 1],
    note: '2 held-out prompts, one sampled answer each',
  });
  expect(heldOutAnswers(found, 1)).toEqual([
    {
      prompt: 'p0',
      before: { text: 'a0', about: 'reward 1.00' },
      after: { text: 'a9', about: 'reward 2.00' },
    },
  ]);
});

test('a single evaluation, or none, gives no comparison', () => {
  expect(change([line(0, 0, 1), line(0, 1, 3)])).toBe(null);
  expect(change([line(1, 0, 1, false)])).toBe(null);
  expect(readHeldOutChange(join(folder, 'absent.jsonl'))).toBe(null);
});
