import { describe, expect, it } from 'vitest';
import type { PromptedAnswer } from '../batching/pack-answers.ts';
import { KnownAnswers } from './known-answers.ts';

const answerOf = (prompt: number[], tokens: number[], scored = tokens.map(() => true)) =>
  ({ prompt, answer: { tokens, scored } }) satisfies PromptedAnswer;

describe('KnownAnswers', () => {
  it('tells answers apart by prompt, tokens, the border between them, and what is scored', () => {
    const known = new KnownAnswers();
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
      known.add(answer, -at);
    });
    expect(known.size).toBe(all.length);
    expect(all.map((answer) => known.get(answer))).toEqual(all.map((_, at) => -at));
    expect(known.get(answerOf([1, 2], [3]))).toBe(-0);
    expect(known.get(answerOf([9], [3]))).toBeUndefined();
    expect(known.all(all.slice(0, 3))).toEqual([-0, -1, -2]);
    expect(known.all([all[0]!, answerOf([9], [3])])).toBeUndefined();
  });

  it('keeps the first value, and none that is not finite', () => {
    const known = new KnownAnswers();
    const [one, other] = [answerOf([1], [2]), answerOf([1], [3])];
    known.add(one, -1);
    known.add(one, -2);
    known.add(other, Number.NaN);
    known.add(other, Number.NEGATIVE_INFINITY);
    expect(known.get(one)).toBe(-1);
    expect(known.size).toBe(1);
  });

  it('comes back from what it gives', () => {
    const known = new KnownAnswers();
    const answers = Array.from({ length: 40 }, (_, at) => answerOf([at], [at, 7]));
    answers.forEach((answer, at) => {
      known.add(answer, -Math.sqrt(at));
    });
    const { keys, values } = known.entries();
    const again = new KnownAnswers();
    again.addEntries(keys, values);
    expect(again.all(answers)).toEqual(answers.map((_, at) => -Math.sqrt(at)));
    expect(again.entries()).toEqual({ keys, values });
    expect(() => again.addEntries(keys.subarray(16), values)).toThrow(
      '39 keys for the scores of 40 answers',
    );
    expect(new KnownAnswers().entries().keys).toHaveLength(0);
  });
});
