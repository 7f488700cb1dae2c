import { ancestors } from '@keel/model';
import { describe, expect, it } from 'vitest';
import { draws } from '../testing/tiny-chat-model.ts';
import { packPairs, pairTokens } from './pack-pairs.ts';
import type { TokenisedAnswer, TokenisedPair } from './tokenise-pair.ts';

const answer = (tokens: number[], scored = tokens.map(() => true)): TokenisedAnswer => ({
  tokens,
  scored,
});
const pair = (
  prompt: number[],
  chosen: TokenisedAnswer,
  rejected: TokenisedAnswer,
): TokenisedPair => ({
  prompt,
  chosen,
  rejected,
  truncated: false,
});

describe('packPairs', () => {
  it('lays out prompts and answers, with the tokens that predict them', () => {
    const batch = packPairs([
      pair([10, 11], answer([20, 21]), answer([30])),
      pair([10, 11], answer([40]), answer([50, 51, 52], [true, false, true])),
      pair([12], answer([60]), answer([61])),
    ]);
    expect([...batch.packed.tokens]).toEqual([
      ...[10, 11, 20, 21, 30],
      ...[40, 50, 51, 52],
      ...[12, 60, 61],
    ]);
    expect([...batch.packed.positions]).toEqual([0, 1, 2, 3, 2, 2, 2, 3, 4, 0, 1, 1]);
    expect(batch.packed.segments).toEqual([
      { start: 0, length: 2, prefix: -1 },
      { start: 2, length: 2, prefix: 0 },
      { start: 4, length: 1, prefix: 0 },
      { start: 5, length: 1, prefix: 0 },
      { start: 6, length: 3, prefix: 0 },
      { start: 9, length: 1, prefix: -1 },
      { start: 10, length: 1, prefix: 5 },
      { start: 11, length: 1, prefix: 5 },
    ]);
    expect([...batch.scored.targets]).toEqual([20, 21, 30, 40, 50, 52, 60, 61]);
    // The prompt's last token predicts the first token of an answer.
    expect([...batch.scored.rows]).toEqual([1, 2, 1, 1, 1, 7, 9, 9]);
    expect([...batch.sequences]).toEqual([0, 0, 1, 2, 3, 3, 4, 5]);
    expect([...batch.counts]).toEqual([2, 1, 1, 2, 1, 1]);
    expect(batch.pairs).toBe(3);
    expect(batch.unsharedTokens).toBe(7 + 8 + 4);
  });

  it('does not score the first token of an answer without a prompt: nothing predicts it', () => {
    const batch = packPairs([pair([], answer([20, 21]), answer([30, 31, 32]))]);
    expect(batch.packed.segments.map(({ prefix }) => prefix)).toEqual([-1, -1]);
    expect([...batch.packed.positions]).toEqual([0, 1, 0, 1, 2]);
    expect([...batch.scored.targets]).toEqual([21, 31, 32]);
    expect([...batch.scored.rows]).toEqual([0, 2, 3]);
    expect([...batch.counts]).toEqual([1, 2]);
  });

  it('separates prompts that look the same only when joined as text', () => {
    const batch = packPairs([
      pair([1, 23], answer([5]), answer([6])),
      pair([12, 3], answer([5]), answer([6])),
      pair([1, 2, 3], answer([5]), answer([6])),
    ]);
    expect(batch.packed.segments.filter(({ prefix }) => prefix === -1)).toHaveLength(3);
  });

  it('scores each token by the token before it in its own sequence, for any pairs', () => {
    const draw = draws(5);
    const list = (least: number, most: number): number[] =>
      Array.from({ length: least + draw(most) }, () => draw(50));
    const randomAnswer = (): TokenisedAnswer => {
      const tokens = list(1, 6);
      return answer(
        tokens,
        tokens.map(() => draw(4) > 0),
      );
    };
    for (let trial = 0; trial < 200; trial++) {
      const pairs: TokenisedPair[] = [];
      for (let count = 1 + draw(6); count > 0; count--) {
        const shared = pairs.length > 0 && draw(2) === 0;
        const prompt = shared ? pairs[draw(pairs.length)]!.prompt : list(0, 4);
        pairs.push(pair(prompt, randomAnswer(), randomAnswer()));
      }
      const { packed, scored, sequences, counts, unsharedTokens } = packPairs(pairs);
      expect(unsharedTokens).toBe(pairs.reduce((sum, one) => sum + pairTokens(one), 0));
      /** Tokens of a sequence up to and including a position of the batch. */
      const until = (row: number): number[] => {
        const index = packed.segments.findIndex(
          ({ start, length }) => row >= start && row < start + length,
        );
        const before = ancestors(packed.segments, index).flatMap((one) => {
          const { start, length } = packed.segments[one]!;
          return [...packed.tokens.subarray(start, start + length)];
        });
        const tokens = [
          ...before,
          ...packed.tokens.subarray(packed.segments[index]!.start, row + 1),
        ];
        expect(packed.positions[row]).toBe(tokens.length - 1);
        return tokens;
      };
      const found = Array.from(scored.rows, (row, n) => ({
        sequence: sequences[n],
        context: until(row),
        target: scored.targets[n],
      }));
      const expected = pairs.flatMap(({ prompt, chosen, rejected }, index) =>
        [chosen, rejected].flatMap(({ tokens, scored: counted }, side) =>
          tokens.flatMap((target, at) => {
            const context = [...prompt, ...tokens.slice(0, at)];
            return counted[at] && context.length > 0
              ? [{ sequence: 2 * index + side, context, target }]
              : [];
          }),
        ),
      );
      expect(found).toEqual(expected);
      const tally = expected.map(({ sequence }) => sequence);
      expect([...counts]).toEqual(
        Array.from({ length: 2 * pairs.length }, (_, s) => tally.filter((one) => one === s).length),
      );
    }
  });
});
