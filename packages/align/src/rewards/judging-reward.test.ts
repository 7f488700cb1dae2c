import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Judge } from '../judges/judge.ts';
import { noVerdict } from '../judges/judgements.ts';
import { writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { answers } from './fixtures/answers.ts';
import { judgingReward } from './judging-reward.ts';
import { openReward, readsPromptsOnly } from './open-reward.ts';
import { parseRewardSpec } from './read-reward-spec.ts';
import { rewardFiles } from './reward-files.ts';
import { parseShortForm } from './short-form.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-judging-reward-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  writeTinyChatModel(join(folder, 'model'));
});
const written = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const options = { precision: 'fp32', device: 'cpu' } as const;

describe('a judge as a reward', () => {
  test('rates by a rubric, with its criteria as aspects, and caches', async () => {
    written(
      'rubric.yaml',
      `type: model
model: model
scale: 1-5
criteria:
  - {name: kind, description: is it kind?}
  - {name: true, description: is it true?, weight: 3}
`,
    );
    const spec = written(
      'reward.yaml',
      'type: judge\njudge: rubric.yaml\ncache: ratings\nreference: good\n',
    );
    const inputs = answers(['day', 'wo wo']).map((input) => ({ ...input, extra: { good: 'day' } }));
    await using reward = await openReward(spec, options);
    const found = await reward.score(inputs);
    for (const { score, aspects } of found) {
      const { kind, true: right } = aspects as Record<string, number>;
      expect(score).toBeCloseTo((kind! + 3 * right!) / 4, 12);
    }
    expect(existsSync(join(folder, 'ratings'))).toBe(true);
    await using again = await openReward(spec, options);
    expect(await again.score(inputs)).toEqual(found);
    await expect(reward.score(answers(['day']))).rejects.toThrow(/"good"/);
    expect(readsPromptsOnly(spec)).toBe(false);
  });

  test('can be a panel, whose members are part of the files of a run', async () => {
    writeTinyChatModel(join(folder, 'other'), 2);
    const panel = written('panel.yaml', 'type: panel\njudges: ["model:model", "model:other"]\n');
    const text = `judge:${panel}`;
    await using reward = await openReward(text, options);
    const [{ score }] = (await reward.score(answers(['day']))) as [{ score: number }];
    expect(score).toBeGreaterThan(1);
    expect(score).toBeLessThan(10);
    const files = await rewardFiles(text);
    expect(files.map(({ name }) => name)).toEqual([
      panel,
      join(folder, 'model'),
      join(folder, 'other'),
    ]);
    expect(new Set(files.map(({ sha256 }) => sha256)).size).toBe(3);
  });

  const fixed = (own: Partial<Judge>): Judge => ({
    ...{ name: 'fixed', identity: 'fixed', concurrency: 1, seesOrder: true },
    async [Symbol.asyncDispose]() {},
    ...own,
  });

  test('gives no score where the judge has no verdict', async () => {
    const judge = fixed({ rate: async () => noVerdict('too long') });
    const reward = judgingReward(judge, { name: 'judge:fixed' });
    expect(await reward.score(answers(['a']))).toEqual([
      { score: null, note: expect.stringMatching(/too long/) },
    ]);
  });

  test('must rate', () => {
    const judge = fixed({ compare: async () => noVerdict('never') });
    expect(() => judgingReward(judge, { name: 'judge:fixed' })).toThrow(/judge:fixed.*fixed/);
  });
});

describe('what is written', () => {
  test('is a model that rates by itself, or a judge', () => {
    expect(parseShortForm('judge:hub:a/b')).toMatchObject({ model: 'hub:a/b' });
    expect(parseShortForm('judge:endpoint:gpt')).toMatchObject({ judge: 'endpoint:gpt' });
    expect(parseShortForm('judge:some/judge.yaml')).toMatchObject({ judge: 'some/judge.yaml' });
  });

  test.each([
    ['type: judge\n', /r\.yaml:1:1: .*model.*"judge"/],
    ['type: judge\nmodel: m\ncache: c\n', /r\.yaml:3:1: cache.*"judge"/],
    ['type: judge\njudge: j.yaml\nquestion: "{completion}?"\n', /r\.yaml:3:1: question/],
    ['type: judge\nmodel: m\nquestion: Good?\n', /r\.yaml:3:1: question.*\{completion\}/],
  ])('%j is an error at its key', (text, message) => {
    expect(() => parseRewardSpec(text, 'r.yaml')).toThrow(message);
  });
});
