import { describe, expect, it } from 'vitest';
import { completionEnd, pickScored, rewardsOfScored, scoredTokens } from './completion-end.ts';

describe('completionEnd', () => {
  it('ends with the first end token and reports it', () => {
    expect(completionEnd([5, 6, 2, 2, 0], new Set([2]))).toEqual({ length: 3, ended: true });
    expect(completionEnd([5, 6], new Set([2]))).toEqual({ length: 2, ended: false });
    expect(completionEnd([2], new Set([2]))).toEqual({ length: 1, ended: true });
  });

  it('a stop token of the user counts as an end (huggingface/trl#5338)', () => {
    expect(completionEnd([5, 9, 2], new Set([2, 9]))).toEqual({ length: 2, ended: true });
  });
});

describe('scoredTokens', () => {
  // Two turns with a tool result of two tokens between them, and a plain completion.
  const scored = [[1, 1, 0, 0, 1], [true]];

  it('keeps the sampled tokens', () => {
    const found = scoredTokens(scored, [4, 4]);
    expect([...found.layout.offsets]).toEqual([0, 3, 4]);
    expect([...found.layout.groups]).toEqual([4, 4]);
    expect([...found.tokens]).toEqual([0, 1, 4, 5]);
    expect([...pickScored([10, 11, 12, 13, 14, 15], found)]).toEqual([10, 11, 14, 15]);
  });

  it("gives a tool's reward to the last token sampled before it", () => {
    expect([...rewardsOfScored([0, 1, 0, 4, 2, 3], scored)]).toEqual([0, 5, 2, 3]);
    expect(() => rewardsOfScored([7, 1], [[0, 1]])).toThrow(/reward of 7 at token 0, before/);
  });

  it('rejects a completion without scored tokens', () => {
    expect(() => scoredTokens([[1], [0, 0]])).toThrow(/sequence 1 has 0 scored tokens/);
  });
});
