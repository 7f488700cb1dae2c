import { describe, expect, test } from 'vitest';
import { exclusive, expectedRating, labelProbabilities, labelTokens } from './label-tokens.ts';

/** A tokenizer whose tokens are numbers of these texts, the longest first. */
const encoder =
  (...vocabulary: string[]) =>
  (text: string): number[] => {
    const found: number[] = [];
    const longest = vocabulary.toSorted((a, b) => b.length - a.length);
    for (let at = 0; at < text.length; ) {
      const token = longest.find((one) => text.startsWith(one, at))!;
      found.push(vocabulary.indexOf(token));
      at += token.length;
    }
    return found;
  };

describe('tokens of labels', () => {
  test('follow all tokens of the text where nothing is merged', () => {
    const { prompt, sequences } = labelTokens(encoder('x:', 'A', 'B', ' ', ' A'), 'x:', ['A', 'B']);
    expect(prompt).toEqual([0]);
    expect(sequences).toEqual([
      { label: 0, tokens: [1] },
      { label: 0, tokens: [4] },
      { label: 1, tokens: [2] },
      { label: 1, tokens: [3, 2] },
    ]);
  });

  test('start before the end of the text where a label is merged with it', () => {
    const both = labelTokens(encoder('x', ':', ':A', 'B', ' ', 'A'), 'x:', ['A', 'B']);
    expect(both.prompt).toEqual([0]);
    expect(both.sequences.map(({ tokens }) => tokens)).toEqual([[2], [1, 4, 5], [1, 3], [1, 4, 3]]);
  });

  test('have no mark of a text that starts, as SentencePiece writes one', () => {
    const encode = (text: string): number[] => encoder('_', 'x', 'A', 'B', ' ')(`_${text}`);
    const { prompt, sequences } = labelTokens(encode, 'x', ['A', 'B']);
    expect(prompt).toEqual([0, 1]);
    expect(sequences.map(({ tokens }) => tokens)).toEqual([[2], [4, 2], [3], [4, 3]]);
  });

  test('are not counted twice where the tokenizer drops the space', () => {
    const encode = (text: string): number[] => encoder('x', 'A', 'B')(text.replaceAll(' ', ''));
    expect(labelTokens(encode, 'x', ['A', 'B']).sequences).toHaveLength(2);
  });
});

describe('probabilities of labels', () => {
  test('do not include those of a longer label with the same beginning', () => {
    expect(exclusive([[1], [1, 0], [2]], [0.5, 0.4, 0.1])).toEqual([
      expect.closeTo(0.1, 12),
      0.4,
      0.1,
    ]);
    // 1, 10 and 100 in digits: each contains the next.
    expect(exclusive([[1], [1, 0], [1, 0, 0]], [0.6, 0.5, 0.2])).toEqual([
      expect.closeTo(0.1, 12),
      expect.closeTo(0.3, 12),
      0.2,
    ]);
  });

  test('are never negative, whatever is rounded', () => {
    expect(exclusive([[1], [1, 0]], [0.4, 0.4000001])[0]).toBe(0);
  });

  test('are summed over the ways to write a label', () => {
    const sequences = [
      { label: 0, tokens: [1] },
      { label: 0, tokens: [3, 1] },
      { label: 1, tokens: [2] },
    ];
    expect(labelProbabilities(sequences, [0.25, 0.5, 0.125], 2)).toEqual([0.75, 0.125]);
  });
});

test('the rating is the mean of the distribution', () => {
  const probabilities = [0.1, 0, 0, 0, 0.3, 0, 0, 0, 0, 0.1];
  expect(expectedRating(probabilities, 1)).toBeCloseTo((0.1 + 1.5 + 1) / 0.5, 12);
  expect(expectedRating([0.5, 0.5], 0)).toBe(0.5);
});
