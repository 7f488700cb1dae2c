import { describe, expect, it } from 'vitest';
import type { PromptedAnswer } from '../batching/pack-answers.ts';
import { AnswerCache } from './reference-cache.ts';

const answerOf = (prompt: number[], tokens: number[], scored = tokens.map(() => true)) =>
  ({ prompt, answer: { tokens, scored } }) satisfies PromptedAnswer;

describe('AnswerCache', () => {
  it('distinguishes answers by prompt, tokens, their boundary, and scored tokens', () => {
    const cache = new AnswerCache();
    const all = [
      answerOf([1, 2], [3]),
      answerOf([1], [2, 3]),
      answerOf([], [1, 2, 3]),
      answerOf([1, 2], [4]),
      answerOf([1, 2, 3], [3]),
      answerOf([1], [2, 3], [true, false]),
      answerOf([1], [2, 3], [false, true]),
    ];
    all.forEach((answer, at) => {
      cache.add(answer, -at);
    });
    expect(cache.size).toBe(all.length);
    expect(all.map((answer) => cache.get(answer))).toEqual(all.map((_, at) => -at));
    expect(cache.get(answerOf([1, 2], [3]))).toBe(-0);
    expect(cache.get(answerOf([9], [3]))).toBeUndefined();
    expect(cache.all(all.slice(0, 3))).toEqual([-0, -1, -2]);
    expect(cache.all([all[0]!, answerOf([9], [3])])).toBeUndefined();
  });

  it('keeps the first value, and no value that is not finite', () => {
    const cache = new AnswerCache();
    const [one, other] = [answerOf([1], [2]), answerOf([1], [3])];
    cache.add(one, -1);
    cache.add(one, -2);
    cache.add(other, Number.NaN);
    cache.add(other, Number.NEGATIVE_INFINITY);
    expect(cache.get(one)).toBe(-1);
    expect(cache.size).toBe(1);
  });

  it('is restored from its own entries', () => {
    const cache = new AnswerCache();
    const answers = Array.from({ length: 40 }, (_, at) => answerOf([at], [at, 7]));
    answers.forEach((answer, at) => {
      cache.add(answer, -Math.sqrt(at));
    });
    const { keys, values } = cache.entries();
    const again = new AnswerCache();
    again.addEntries(keys, values);
    expect(again.all(answers)).toEqual(answers.map((_, at) => -Math.sqrt(at)));
    expect(again.entries()).toEqual({ keys, values });
    expect(() => again.addEntries(keys.subarray(16), values)).toThrow(/39 keys .*40 answers/);
    expect(new AnswerCache().entries().keys).toHaveLength(0);
  });
});
