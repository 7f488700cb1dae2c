import { expect, it } from 'vitest';
import type { Reward } from '../rewards/reward.ts';
import { AnswerJudge, type JudgeParts, type JudgingOptions } from './answer-judge.ts';
import type { PlacedPrompt } from './prompt-source.ts';
import type { SampledRollouts } from './sample-rollouts.ts';

const prompts = [0, 1].map((row) => ({ row, prompt: 'p', tokens: [1], extra: {}, opened: '' }));

/** Answers whose texts are their scores. */
const answers = (texts: string[], ended = texts.map(() => true)): SampledRollouts => ({
  prompts: prompts as unknown as PlacedPrompt[],
  samples: texts.map((text, at) => ({
    ...{ group: Math.floor((at * prompts.length) / texts.length), text },
    ...{ tokens: [1], ended: ended[at]!, logprobs: [0] },
  })),
});

function judging(own: Partial<JudgingOptions> = {}, gold?: Reward) {
  const seen = { learnt: 0, heldOut: [] as string[], asked: [] as unknown[] };
  const outcomes = (inputs: readonly { completion: unknown }[]) => {
    const scores = inputs.map(({ completion }) => ({ score: Number(completion) }));
    return Promise.resolve(scores);
  };
  const reward = {
    name: 'number',
    score: outcomes,
    learn(inputs: readonly { completion: unknown }[]) {
      seen.learnt += inputs.length;
      return outcomes(inputs);
    },
  } as unknown as Reward;
  const parts: JudgeParts = {
    ...{ reward, referenceRole: 'reference', seed: 5, ...(gold && { gold }) },
    place: (row, heldOut) => `${heldOut ? 'held-out ' : ''}row ${row}`,
  };
  const sampling = { samplesPerPrompt: 4, maxNewTokens: 2, temperature: 1, topK: null, topP: 1 };
  const options: JudgingOptions = {
    ...{ sampling: { ...sampling, batchSize: 4 }, shaping: { running: false }, comparison: null },
    ...own,
  };
  const sampleAs = (...asked: unknown[]): Promise<SampledRollouts> => {
    seen.asked.push(asked);
    return Promise.resolve(answers(['1', '3']));
  };
  return { judge: new AnswerJudge(parts, options, { sampleAs }), seen };
}

it('clips scores, then subtracts the penalty of an answer without an end', async () => {
  const { judge, seen } = judging({ shaping: { running: false, clip: 2, missingEosPenalty: 1 } });
  const { scores, shaped } = await judge.judge(answers(['1', '5'], [true, false]));
  expect({ scores, shaped: [...shaped] }).toEqual({ scores: [1, 5], shaped: [1, 1] });
  expect(seen.learnt).toBe(2);
});

it('updates the running scale and the reward with answers that are trained on only', async () => {
  const { judge, seen } = judging({ shaping: { running: true } });
  expect([...(await judge.judgeBaseline(answers(['1', '3'])))]).toEqual([1, 3]);
  await judge.judgeHeldOut(answers(['7', '9']));
  expect(judge.state()).toMatchObject({ count: 0 });
  const { shaped } = await judge.judge(answers(['1', '3']));
  expect([...shaped]).toEqual([1 / Math.SQRT2, 3 / Math.SQRT2]);
  expect([seen.learnt, judge.state()]).toMatchObject([2, { count: 2 }]);
  const { judge: other } = judging({ shaping: { running: true } });
  other.restore(judge.state());
  expect(other.state()).toEqual(judge.state());
});

it('compares with answers of the reference, which it samples once for a batch', async () => {
  const { judge, seen } = judging({ comparison: { shape: 'sigmoid', answers: 1, centre: null } });
  const batch = answers(['1', '1', '3', '5']);
  const { shaped, reference } = await judge.judge(batch);
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  expect(reference).toBe(2);
  [0, 0, 0, 2].forEach((centred, at) => {
    expect(shaped[at]).toBeCloseTo(sigmoid(centred), 12);
  });
  await judge.judgeBaseline(batch);
  expect(seen.asked).toMatchObject([['reference', batch.prompts, { samplesPerPrompt: 1 }, {}]]);
});

it('compares with a centre without sampling', async () => {
  const { judge, seen } = judging({ comparison: { shape: 'sigmoid', answers: 1, centre: 3 } });
  const judged = await judge.judge(answers(['3', '3']));
  expect([...judged.shaped]).toEqual([0.5, 0.5]);
  expect(judged).not.toHaveProperty('reference');
  expect(seen.asked).toEqual([]);
});

it('names a held-out row whose answer has no score, except by the gold reward', async () => {
  const none = { name: 'none', score: async (all: unknown[]) => all.map(() => ({ score: null })) };
  const { judge } = judging({}, none as unknown as Reward);
  expect(await judge.gold(answers(['1', '2']))).toEqual([null, null]);
  expect(await judging().judge.gold(answers(['1']))).toBe(null);
  const failing = judging();
  await expect(failing.judge.judgeHeldOut(answers(['1', 'x']))).rejects.toThrow(/held-out row 1/);
});
