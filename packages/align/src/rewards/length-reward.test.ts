import { expect, test } from 'vitest';
import { answers } from './fixtures/answers.ts';
import { lengthReward } from './length-reward.ts';

const scores = async (spec: object, completions: string[], count?: (text: string) => number) =>
  (await lengthReward({ type: 'length', ...spec }, count).score(answers(completions))).map(
    ({ score }) => score,
  );

test('a band is 1 inside and 0 outside, or decreases smoothly', async () => {
  const texts = ['', 'ab', 'abcd', 'abcde'];
  expect(await scores({ min: 1, max: 4 }, texts)).toEqual([0, 1, 1, 0]);
  expect(await scores({ max: 2 }, texts)).toEqual([1, 1, 0, 0]);
  const smooth = await scores({ min: 2, max: 4, width: 2 }, texts);
  expect(smooth[0]).toBeCloseTo(Math.exp(-1 / 2), 12);
  expect(smooth[3]).toBeCloseTo(Math.exp(-1 / 8), 12);
});

test('a target is the best length, and a quarter of it is the width', async () => {
  const [met, missed] = await scores({ target: 4 }, ['abcd', 'abcde']);
  expect(met).toBe(1);
  expect(missed).toBeCloseTo(Math.exp(-1 / 2), 12);
});

test('characters are those that people see; words and tokens are counted too', async () => {
  expect(await scores({ min: 2, max: 2 }, ['🙂🙃'])).toEqual([1]);
  expect(await scores({ min: 2, max: 2, unit: 'words' }, [' two  words\n'])).toEqual([1]);
  expect(await scores({ min: 7, unit: 'tokens' }, ['x'], () => 7)).toEqual([1]);
  const reward = lengthReward({ type: 'length', max: 3, unit: 'tokens' });
  expect(await reward.score([{ prompt: '', completion: 'x', extra: {}, tokens: 3 }])).toEqual([
    { score: 1, aspects: { tokens: 3 } },
  ]);
  await expect(reward.score(answers(['x']))).rejects.toThrow('needs a tokenizer');
});

test('invalid bounds are rejected', () => {
  expect(() => lengthReward({ type: 'length' })).toThrow('give min, max or a target');
  expect(() => lengthReward({ type: 'length', min: 3, max: 2 })).toThrow('above max');
  expect(() => lengthReward({ type: 'length', min: 3, target: 2 })).toThrow('give a target, or');
});
