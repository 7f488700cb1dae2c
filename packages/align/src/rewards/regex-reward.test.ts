import { expect, test } from 'vitest';
import { answers } from './fixtures/answers.ts';
import { regexReward } from './regex-reward.ts';

const scores = async (spec: object, completions: string[]): Promise<(number | null)[]> => {
  const reward = regexReward({ type: 'regex', pattern: 'a', ...spec });
  return (await reward.score(answers(completions))).map(({ score }) => score);
};

test('match, no match and count, anywhere or in whole', async () => {
  const texts = ['banana', 'a', 'A', 'b'];
  expect(await scores({}, texts)).toEqual([1, 1, 0, 0]);
  expect(await scores({ flags: 'i' }, texts)).toEqual([1, 1, 1, 0]);
  expect(await scores({ mode: 'no_match' }, texts)).toEqual([0, 0, 1, 1]);
  expect(await scores({ mode: 'count' }, texts)).toEqual([3, 1, 0, 0]);
  expect(await scores({ where: 'whole' }, texts)).toEqual([0, 1, 0, 0]);
  expect(await scores({ where: 'whole', pattern: 'a|b' }, texts)).toEqual([0, 1, 0, 1]);
});

test('one answer does not affect the next', async () => {
  expect(await scores({ flags: 'gy' }, ['xa', 'a', 'a'])).toEqual([1, 1, 1]);
});

test('an invalid pattern is rejected', () => {
  expect(() => regexReward({ type: 'regex', pattern: '(' })).toThrow('Unterminated group');
});

test('matches the message with its start in the prompt', async () => {
  const prompt = [
    { role: 'user', content: 'q' },
    { role: 'assistant', content: 'Answer: ' },
  ];
  const reward = regexReward({ type: 'regex', pattern: '^Answer: 4$' });
  const [input] = answers(['4']);
  const scored = async (own: object) => (await reward.score([{ ...input!, ...own }]))[0]!.score;
  expect(await scored({ prompt })).toBe(1);
  expect(await scored({ prompt: prompt.slice(0, 1) })).toBe(0);
});

test('matches the message with what the generation prompt opened, or only the text', async () => {
  const scored = async (spec: object): Promise<unknown> => {
    const reward = regexReward({ type: 'regex', pattern: '^<think>', ...spec });
    const inputs = answers(['so</think> 4']).map((one) => ({ ...one, opened: '<think>\n' }));
    return (await reward.score(inputs)).map(({ score }) => score);
  };
  expect(await scored({})).toEqual([1]);
  expect(await scored({ of: 'text' })).toEqual([0]);
});
