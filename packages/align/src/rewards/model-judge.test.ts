import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test } from 'vitest';
import { answers } from './fixtures/answers.ts';
import { expectation, modelJudge } from './model-judge.ts';

const single = Array.from({ length: 10 }, (_, index) => [index + 1]);

test('the rating is the mean of the distribution', () => {
  const whole = [0.1, 0, 0, 0, 0.3, 0, 0, 0, 0, 0.1];
  const { mean, probabilities } = expectation(single, whole);
  expect(mean).toBeCloseTo((0.1 + 1.5 + 1) / 0.5, 12);
  expect(probabilities).toEqual(whole);
});

test('"10" in two tokens does not count as "1"', () => {
  const answers = [...single.slice(0, 9), [1, 0]];
  const { mean, probabilities } = expectation(answers, [0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0.4]);
  expect(probabilities[0]).toBeCloseTo(0.1, 12);
  expect(mean).toBeCloseTo((0.1 + 4) / 0.5, 12);
});

test('a model that gives no rating any probability is an error', () => {
  expect(() => expectation(single, new Array(10).fill(0))).toThrow(/judge .*probability/);
});

describe('a model as judge', () => {
  test('rates the same answer the same, whatever it is rated with', async () => {
    const model = goldenPath('tiny-chat');
    await using judge = await modelJudge(
      { type: 'judge', model },
      { precision: 'fp32', device: 'cpu' },
    );
    const [first, second, again] = await judge.score(answers(['Yes.', 'No, never!', 'Yes.']));
    expect(again).toEqual(first);
    expect(second!.score).not.toBe(first!.score);
    for (const { score, aspects } of [first!, second!]) {
      expect(score).toBeGreaterThan(1);
      expect(score).toBeLessThan(10);
      expect(aspects!.certainty).toBeGreaterThan(0);
      expect(aspects!.certainty).toBeLessThanOrEqual(1);
    }
    expect(await judge.score(answers(['No, never!']))).toEqual([second]);
  });

  test('reads the calls of an answer and the tools of its prompt', async () => {
    const model = goldenPath('tiny-chat');
    await using judge = await modelJudge(
      { type: 'judge', model },
      { precision: 'fp32', device: 'cpu' },
    );
    const prompt = [{ role: 'user', content: 'Weather?' }];
    const calling = (name: string, tools: unknown[] | null) => ({
      prompt,
      completion: [
        { role: 'assistant', content: null, tool_calls: [{ function: { name, arguments: {} } }] },
      ],
      extra: {},
      rendering: { tools, variables: {} },
    });
    const inputs = [calling('weather', null), calling('erase', null), calling('erase', [{}])];
    const scores = (await judge.score(inputs)).map(({ score }) => score);
    expect(new Set(scores).size).toBe(3);
  });

  test('must have the answer in its question', async () => {
    const model = goldenPath('tiny-chat');
    await expect(modelJudge({ type: 'judge', model, question: 'Good?' })).rejects.toThrow(
      'the question has no {completion}',
    );
  });
});
