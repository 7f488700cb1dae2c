import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test } from 'vitest';
import { answers } from './fixtures/answers.ts';
import { modelJudge } from './model-judge.ts';

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

  test('names an answer that is too long for it', async () => {
    const model = goldenPath('tiny-chat');
    await using judge = await modelJudge(
      { type: 'judge', model },
      { precision: 'fp32', device: 'cpu' },
    );
    const scoring = judge.score(answers(['Yes.', 'no '.repeat(20_000)]));
    await expect(scoring).rejects.toMatchObject({
      index: 1,
      message: expect.stringMatching(/at most \d+/),
    });
  });

  test('must have the answer in its question', async () => {
    const model = goldenPath('tiny-chat');
    await expect(modelJudge({ type: 'judge', model, question: 'Good?' })).rejects.toThrow(
      'the question has no {completion}',
    );
  });
});
