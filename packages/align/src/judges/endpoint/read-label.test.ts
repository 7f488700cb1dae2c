import { describe, expect, it } from 'vitest';
import type { WrittenToken } from './completion.ts';
import { labelInJson, labelOnLastLine, readProbabilities } from './read-label.ts';

const rule = { labels: ['A', 'B', 'C'], cue: 'Verdict:', reasoning: false };
const ratings = Array.from({ length: 10 }, (_, index) => String(index + 1));

const written = (token: string, top: Record<string, number>): WrittenToken => ({
  token,
  logprob: Math.log(top[token] ?? 0.5),
  top: Object.entries(top).map(([text, probability]) => ({
    ...{ token: text, logprob: Math.log(probability) },
  })),
});

describe('a label on the last line', () => {
  it.each([
    ['A', 'A'],
    [' B \n\n', 'B'],
    ['Because of this.\nVerdict: C', 'C'],
    ['[[A]]', 'A'],
    ['**Verdict:** B', 'B'],
    ['**Verdict: B**', 'B'],
    ['"A"', 'A'],
    ['Both are fine.\n\nVerdict: [[C]].', 'C'],
    ['<think>\nB?\n</think>\n\nA', 'A'],
  ])('%j is %s', (text, label) => {
    expect(labelOnLastLine(text, rule)?.label).toBe(label);
    expect(text[labelOnLastLine(text, rule)!.at]).toBe(label);
  });

  it.each([
    '',
    '  \n',
    'I like both',
    'A is better',
    'A or B',
    'AB',
    'a',
    'D',
    'A\nbecause it is shorter',
    'Verdict:',
    'Answer: A',
    '[[A]] [[B]]',
    '{"verdict": "A"}',
  ])('%j has none', (text) => {
    expect(labelOnLastLine(text, rule)).toBeNull();
  });

  it('can be any text', () => {
    const strange = { labels: ['A+', '(x|y)'], cue: 'So?' };
    expect(labelOnLastLine('So? (x|y)', strange)?.label).toBe('(x|y)');
    expect(labelOnLastLine('AA', strange)).toBeNull();
  });

  it('is a number on the scale, and none beside it', () => {
    const scale = { labels: ratings, cue: 'Rating:' };
    expect(labelOnLastLine('Rating: 10', scale)?.label).toBe('10');
    for (const text of ['11', '0', '7.5', '7/10', '-3']) {
      expect(labelOnLastLine(text, scale)).toBeNull();
    }
  });
});

describe('probabilities', () => {
  it('sum tokens with and without a space', () => {
    const tokens = [written('A', { A: 0.5, ' A': 0.125, B: 0.25, ĠB: 0.0625, x: 0.03125 })];
    const { probabilities, total } = readProbabilities(tokens, rule)!;
    expect(probabilities.A).toBeCloseTo(0.625, 12);
    expect(probabilities.B).toBeCloseTo(0.3125, 12);
    expect(probabilities.C).toBe(0);
    expect(total).toBeCloseTo(0.9375, 12);
  });

  it('sum to at most 1, also where a token is listed twice', () => {
    const top = ['A', 'A', ' A', 'B'].map((token) => ({ token, logprob: Math.log(0.5) }));
    const { probabilities, total } = readProbabilities(
      [{ token: 'A', logprob: Math.log(0.5), top }],
      rule,
    )!;
    expect(probabilities.A).toBeCloseTo(0.75, 12);
    expect(probabilities.B).toBeCloseTo(0.25, 12);
    expect(total).toBe(1);
  });

  it('are read where the label is', () => {
    const tokens = [
      written('Long', { Long: 1 }),
      written('.\n', { '.\n': 1 }),
      written('Verdict', { Verdict: 1 }),
      written(':', { ':': 1 }),
      written(' B', { ' B': 0.75, ' A': 0.25 }),
      written('<|im_end|>', { '<|im_end|>': 1 }),
    ];
    const reasoning = { ...rule, reasoning: true };
    expect(readProbabilities(tokens, reasoning)!.probabilities.B).toBeCloseTo(0.75, 12);
    expect(readProbabilities(tokens.slice(0, 4), reasoning)).toBeNull();
  });

  it('are those of the first token that is not blank if no line is a label', () => {
    const tokens = [
      written('\n', { '\n': 1 }),
      written('A', { A: 0.75, B: 0.125 }),
      written(' wins', { ' wins': 1 }),
    ];
    expect(readProbabilities(tokens, rule)!.total).toBeCloseTo(0.875, 12);
  });

  it('are 0 where the labels are missing', () => {
    expect(readProbabilities([written('I', { I: 0.9, We: 0.1 })], rule)!.total).toBe(0);
    expect(readProbabilities([written('I', { I: 0.9 })], rule)!.probabilities.A).toBe(0);
    expect(readProbabilities([], rule)).toBeNull();
    expect(readProbabilities([written(' ', {})], rule)).toBeNull();
  });

  it('include the token that was written, also where the endpoint lists no others', () => {
    expect(readProbabilities([written('B', {})], rule)!.probabilities.B).toBeCloseTo(0.5, 12);
  });

  const scale = { labels: ratings, cue: 'Rating:', reasoning: false };

  it('distinguish 1 and 10 where 10 is one token', () => {
    const tokens = [written('10', { '10': 0.5, '1': 0.25, '9': 0.25 })];
    const { probabilities } = readProbabilities(tokens, scale)!;
    expect(probabilities['10']).toBeCloseTo(0.5, 12);
    expect(probabilities['1']).toBeCloseTo(0.25, 12);
  });

  it('distinguish them by the next token where tokens are digits', () => {
    const tokens = [
      written('1', { '1': 0.5, '9': 0.5 }),
      written('0', { '0': 0.75, '<|im_end|>': 0.25 }),
    ];
    const { probabilities, total } = readProbabilities(tokens, scale)!;
    expect(probabilities['10']).toBeCloseTo(0.375, 12);
    expect(probabilities['1']).toBeCloseTo(0.125, 12);
    expect(total).toBeCloseTo(1, 12);
  });

  it('leave out what may be 1 or 10', () => {
    const { probabilities, total, ambiguous } = readProbabilities(
      [written('8', { '8': 0.75, '1': 0.25 })],
      scale,
    )!;
    expect(probabilities).toMatchObject({ '1': 0, '10': 0 });
    expect(probabilities['8']).toBeCloseTo(0.75, 12);
    expect(total).toBeCloseTo(0.75, 12);
    expect(ambiguous).toBeCloseTo(0.25, 12);
  });

  it('are never NaN', () => {
    const empty = written('A', {});
    const impossible = { ...empty, logprob: Number.NEGATIVE_INFINITY };
    expect(readProbabilities([impossible], rule)!.total).toBe(0);
  });
});

describe('a label in JSON', () => {
  it.each([
    ['{"verdict": "B"}', 'B', null],
    ['{"reason": "short", "verdict": "A"}', 'A', 'short'],
    ['```json\n{"verdict": "A"}\n```', 'A', null],
  ])('%s', (text, label, reason) => {
    expect(labelInJson(text, rule.labels)).toEqual({ label, reason });
  });

  it('may be a number', () => {
    expect(labelInJson('{"verdict": 7}', ratings)?.label).toBe('7');
    expect(labelInJson('{"verdict": 7.5}', ratings)).toBeNull();
    expect(labelInJson('{"verdict": 11}', ratings)).toBeNull();
  });

  it.each([
    '',
    'A',
    '{"verdict": "A"',
    '["A"]',
    '{"winner": "A"}',
    'So: {"verdict": "A"}',
    'null',
  ])('is not in %j', (text) => {
    expect(labelInJson(text, rule.labels)).toBeNull();
  });
});
