import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { afterAll, expect, test } from 'vitest';
import { openJudge } from './open-judge.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-rubric-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const written = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const options = { precision: 'fp32', device: 'cpu' } as const;
const tiny = `model:${goldenPath('tiny-chat')}`;
const answer = { prompt: 'p', answer: 'yes', extra: {} };

test('a rubric replaces what a judge is asked, and nothing else', async () => {
  const rubric = written(
    'rubric.yaml',
    'scale: 1-4\ncriteria:\n  - {name: short, description: Is it short?}\n',
  );
  await using plain = await openJudge(tiny, options);
  await using judge = await openJudge(tiny, { ...options, rubric });
  expect(judge.name).toBe(plain.name);
  expect(judge.identity).not.toBe(plain.identity);
  const rating = await judge.rate!(answer);
  expect(rating).toMatchObject({ criteria: { short: expect.any(Number) } });
  expect(JSON.stringify(rating.exchanges)).toContain('Is it short?');
});

test('a rubric with a fault is refused with its place', async () => {
  const unknown = written('unknown.yaml', 'criterions: []\n');
  await expect(openJudge(tiny, { rubric: unknown })).rejects.toThrow(/unknown\.yaml:1:1.*criteria/);
  const empty = written('empty.yaml', '');
  await expect(openJudge(tiny, { rubric: empty })).rejects.toThrow(/empty\.yaml/);
});

test('a judge that is not asked in words takes none', async () => {
  const rubric = written('some.yaml', 'instructions: Be strict.\n');
  await expect(openJudge('reward:length:-10', { rubric })).rejects.toThrow(/--rubric.*reward/);
});
