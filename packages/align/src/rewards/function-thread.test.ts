// Functions with a time limit, which run in another thread.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answers } from './fixtures/answers.ts';
import { loadFunctionReward } from './function-reward.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-function-thread-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  writeFileSync(
    join(folder, 'reward.mjs'),
    `import { isMainThread } from 'node:worker_threads';
export default ({ text }) => ({ score: text.length, aspects: { main: Number(isMainThread) } });
export const looping = ({ text }) => {
  while (text === 'loop');
  return 1;
};
export const waiting = ({ text }, { signal }) =>
  text === 'wait' ? new Promise((_, reject) => signal.addEventListener('abort', reject)) : 1;
export const slow = () => {
  const until = performance.now() + 150;
  while (performance.now() < until);
  return 1;
};
export const throwing = () => {
  throw new RangeError('too long');
};
export const strange = () => () => 1;
`,
  );
  writeFileSync(
    join(folder, 'batched.mjs'),
    'export const batched = true;\nexport default (all) => all.map(({ text }) => text.length);\n',
  );
});

const load = (name: string, timeout: number) =>
  loadFunctionReward(name, folder, { concurrency: 4, timeout });

test('a function with a limit runs in another thread', async () => {
  await using reward = await load('reward.mjs', 60);
  expect(await reward.score(answers(['a', 'bcd']))).toEqual([
    { score: 1, aspects: { main: 0 } },
    { score: 3, aspects: { main: 0 } },
  ]);
  await using batched = await load('batched.mjs', 60);
  expect(await batched.score(answers(['a', 'bcd']))).toEqual([{ score: 1 }, { score: 3 }]);
});

test.each([
  'looping',
  'waiting',
])('%s without an end is an error, and the next call works', async (name) => {
  await using reward = await load(`reward.mjs#${name}`, 0.3);
  const word = name === 'looping' ? 'loop' : 'wait';
  await expect(reward.score(answers(['a', word, 'b']))).rejects.toMatchObject({
    ...{ name: 'RewardError', index: 1 },
    message: expect.stringMatching(/^reward\.mjs#\w+: .*0\.3 s.*--reward-timeout/),
  });
  expect(await reward.score(answers(['a']))).toEqual([{ score: 1 }]);
});

test('the time of calls that wait for their turn does not count', async () => {
  await using reward = await load('reward.mjs#slow', 2);
  const inputs = answers(Array.from({ length: 20 }, String));
  expect(await reward.score(inputs)).toEqual(inputs.map(() => ({ score: 1 })));
});

test('errors for what it throws or cannot return name the answer', async () => {
  await using throwing = await load('reward.mjs#throwing', 60);
  await expect(throwing.score(answers(['a']))).rejects.toMatchObject({
    index: 0,
    message: expect.stringMatching(/: too long \(at .*reward\.mjs:15:9\)$/),
  });
  await using strange = await load('reward.mjs#strange', 60);
  await expect(strange.score(answers(['a']))).rejects.toMatchObject({ index: 0 });
});

test('a cancelled call ends at once', async () => {
  await using reward = await load('reward.mjs#looping', 600);
  const stop = new AbortController();
  const found = reward.score(answers(['loop']), stop.signal);
  stop.abort(new Error('stop'));
  await expect(found).rejects.toBe(stop.signal.reason);
});
