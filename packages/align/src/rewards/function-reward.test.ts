import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answers } from './fixtures/answers.ts';
import { batchedReward, functionReward, loadFunctionReward } from './function-reward.ts';

const folder = fileURLToPath(new URL('./fixtures', import.meta.url));
const load = (name: string) => loadFunctionReward(`functions.ts${name}`, folder);

test('a default or a named export judges answers one by one', async () => {
  await using length = await load('');
  expect(await length.score(answers(['a', 'bcd']))).toEqual([{ score: 1 }, { score: 3 }]);
  const chat = [{ role: 'assistant', content: 'four' }];
  expect(await length.score([{ prompt: [], completion: chat, extra: {} }])).toEqual([{ score: 4 }]);
  await using silent = await load('#nothing');
  expect(await silent.score(answers(['a']))).toEqual([{ score: null }]);
  await using detailed = await load('#detailed');
  expect(await detailed.score(answers(['a'], { wanted: 2 }))).toEqual([
    { score: 2, aspects: { wanted: 2 }, note: 'as the row says' },
  ]);
});

test('a function sees what the generation prompt opened, and a signal for its call', async () => {
  const seen: unknown[] = [];
  const reward = functionReward('r', ({ text, opened }, { signal }) => {
    seen.push([opened, text, signal.aborted]);
    return 0;
  });
  const [plain] = answers(['so']);
  await reward.score([{ ...plain!, opened: '<think>\n' }, plain!]);
  expect(seen).toEqual([
    ['<think>\n', 'so', false],
    ['', 'so', false],
  ]);
});

test('an error names the answer that it occurred for', async () => {
  await using failing = await load('#failing');
  await expect(failing.score(answers(['first', 'second']))).rejects.toMatchObject({
    index: 1,
    message: 'functions.ts#failing: it did not like that',
  });
  await using strange = await load('#strange');
  await expect(strange.score(answers(['a']))).rejects.toMatchObject({
    index: 0,
    message: expect.stringMatching(
      /^functions.ts#strange: the score is NaN; return a finite number/,
    ),
  });
  await using unfit = await load('#detailed');
  await expect(unfit.score(answers(['a']))).rejects.toThrow('the score is NaN');
});

test('a module that cannot be used is an error with the reason', async () => {
  await expect(load('#text')).rejects.toThrow(/"text" .*; its functions are/);
  await expect(load('#other')).rejects.toThrow(
    'the module has no "other"; its functions are default, ',
  );
  await expect(loadFunctionReward('absent.ts', folder)).rejects.toThrow('there is no file');
});

test('tokens of answers that were not sampled are counted when a function reads them', async () => {
  let counts = 0;
  const countTokens = (text: string): number => {
    counts += 1;
    return text.length;
  };
  const limits = { concurrency: 1, timeout: null, countTokens };
  const blind = functionReward('r', ({ text }) => text.length, limits);
  await blind.score(answers(['abc']));
  expect(counts).toBe(0);
  const sighted = functionReward('r', ({ tokens }) => tokens!, limits);
  const [plain] = answers(['abc']);
  // With the end token, as for sampled answers.
  expect(await sighted.score([plain!, { ...plain!, tokens: 9 }])).toEqual([
    { score: 4 },
    { score: 9 },
  ]);
  expect(counts).toBe(1);
});

describe('a batched function', () => {
  test('judges all answers with one call', async () => {
    const seen: string[][] = [];
    const reward = batchedReward('r', async (all) => {
      seen.push(all.map(({ text }) => text));
      return all.map(({ text }, index) => (index === 1 ? null : { score: text.length }));
    });
    const found = await reward.score(answers(['a', 'bcd', 'ef']));
    expect(found).toEqual([{ score: 1 }, { score: null }, { score: 2 }]);
    expect(seen).toEqual([['a', 'bcd', 'ef']]);
    expect(await reward.score([])).toEqual([]);
    expect(seen).toHaveLength(1);
  });

  test('comes from a module with `batched`', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'keel-batched-')), 'rewards.mjs');
    onTestFinished(() => rmSync(dirname(file), { recursive: true }));
    writeFileSync(
      file,
      'export const batched = true;\nexport default (all) => all.map(({ text }) => text.length);\n',
    );
    await using reward = await loadFunctionReward(file);
    expect(await reward.score(answers(['a', 'bcd']))).toEqual([{ score: 1 }, { score: 3 }]);
  });

  test.each<[string, () => unknown, RegExp]>([
    ['too few values', () => [1], /^r: .*\b1 values for 2 answers/],
    ['a number', () => 1, /^r: .*returned 1 for 2 answers/],
    ['holes', () => new Array(2), /^r: .*undefined/],
    ['text', () => ['1', 2], /^r: .*'1'/],
    ['an exception', () => Promise.reject(new Error('no idea')), /^r: no idea/],
  ])('that returns %s is an error', async (_, judge, message) => {
    const reward = batchedReward('r', judge as never);
    await expect(reward.score(answers(['a', 'b']))).rejects.toThrow(message);
  });

  test('ends when its signal fires', async () => {
    const reward = batchedReward('r', () => new Promise<never>(() => {}));
    const stop = new AbortController();
    const found = reward.score(answers(['a']), stop.signal);
    stop.abort(new Error('stop'));
    await expect(found).rejects.toBe(stop.signal.reason);
  });
});
