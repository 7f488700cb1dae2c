import { describe, expect, it } from 'vitest';
import { outcomeOf, scoreChecked } from './checked-outcomes.ts';
import { CompositeReward } from './composite-reward.ts';
import { answers } from './fixtures/answers.ts';
import { judgeReward } from './judge.ts';
import { RewardError } from './reward.ts';

describe('an outcome', () => {
  it('is a number, null, or an object with a score', () => {
    expect(outcomeOf(2)).toEqual({ score: 2 });
    expect(outcomeOf(null)).toEqual({ score: null });
    const whole = { score: 1, aspects: { a: 2 }, note: 'why' };
    expect(outcomeOf(whole)).toEqual(whole);
    expect(outcomeOf({ score: null, aspects: undefined, note: undefined })).toEqual({
      score: null,
    });
  });

  it.each([
    [undefined, /returned undefined.*\{ score/],
    ['1', /returned '1'/],
    [true, /returned true/],
    [2n, /returned 2n/],
    [[1], /returned \[ 1 \]/],
    [{ aspects: {} }, /returned \{ aspects: \{\} \}/],
    [Number.NaN, /^the score is NaN; return a finite number, or null/],
    [Number.POSITIVE_INFINITY, /the score is Infinity/],
    [{ score: '1' }, /the score is '1'/],
    [{ score: undefined }, /the score is undefined/],
    [{ score: 1, aspects: null }, /^`aspects` is null/],
    [{ score: 1, aspects: [1, 2] }, /`aspects` is \[ 1, 2 \]/],
    [{ score: 1, aspects: new Map([['a', 1]]) }, /`aspects` is Map/],
    [{ score: 1, aspects: { a: null } }, /`aspects.a` is null/],
    [{ score: 1, aspects: { a: Number.NaN } }, /`aspects.a` is NaN/],
    [{ score: 1, note: 5 }, /^`note` is 5/],
    [{ score: 1, note: null }, /`note` is null/],
    [{ score: 1, aspect: {} }, /^unknown field "aspect" .*"aspects"/],
    [{ score: 1, weight: 2 }, /unknown field "weight" .*score, aspects, note/],
  ])('is rejected if it is invalid: %o', (value, message) => {
    expect(() => outcomeOf(value)).toThrow(message);
  });
});

describe("a program's reward", () => {
  const by = (score: () => unknown) => ({
    name: 'own',
    score: async () => (await score()) as never,
  });
  const inputs = answers(['a', 'b']);

  it.each([
    [() => [1], 'own: `score` returned 1 outcomes for 2 answers'],
    [() => 5, 'own: `score` returned 5 for 2 answers'],
    [() => Promise.reject('text'), 'own: text'],
    [
      () => {
        throw new RewardError(7, 'beyond the last');
      },
      'own: beyond the last',
    ],
  ])('is rejected if it does not return one outcome per answer: %s', async (score, message) => {
    await expect(scoreChecked(by(score), inputs)).rejects.toThrow(message);
  });

  it('is checked wherever it is used', async () => {
    const judge = judgeReward(by(() => [{ score: 1 }, { score: 1, note: 5 }]));
    const named = { index: 1, message: expect.stringMatching(/^own: `note` is 5/) };
    await expect(judge.score(inputs)).rejects.toMatchObject(named);
    const reward = { ...judge, ...by(() => [{ score: 1 }, { score: 1, note: 5 }]) };
    const parts = { weight: 1, clip: null, normalise: 'none' as const };
    const composite = new CompositeReward([{ name: 'part', reward, ...parts }]);
    await expect(composite.score(inputs)).rejects.toMatchObject(named);
  });
});
