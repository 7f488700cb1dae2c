import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { answers } from './fixtures/answers.ts';
import { functionReward, loadFunctionReward } from './function-reward.ts';

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
