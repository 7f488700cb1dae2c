import { describe, expect, it } from 'vitest';
import { tinyChatTokenizer } from '../testing/tiny-chat-model.ts';
import { packJudged } from './pack-judged.ts';
import { type JudgedOptions, tokeniseJudged } from './tokenise-judged.ts';

const tokenizer = tinyChatTokenizer();
const end = tokenizer.eosTokenId!;
const options: JudgedOptions = {
  ...{ readAt: 'last', padTokenId: end, stepSeparator: '\n' },
  ...{ maxLength: null, margin: 'row', marginScale: 1 },
};
const plain = { prompt: 'hello', chosen: ' world', rejected: ' day', extra: {} };
const lastOf = (tokens: readonly number[]): number => tokens.length - 1;

describe('where a score is read', () => {
  it('last: at the end-of-sequence token of a plain answer', () => {
    const { answers } = tokeniseJudged(plain, tokenizer, options)!;
    for (const { tokens, reads } of answers) {
      expect(tokens.at(-1)).toBe(end);
      expect(reads).toEqual([lastOf(tokens)]);
    }
  });

  it('last_not_pad: before it, if it is also the pad token', () => {
    const { answers } = tokeniseJudged(plain, tokenizer, { ...options, readAt: 'last_not_pad' })!;
    for (const { tokens, reads } of answers) expect(reads).toEqual([lastOf(tokens) - 1]);
  });

  it('of a chat: at the last token that the template writes', () => {
    const turn = (role: string, content: string) => [{ role, content }];
    const row = {
      prompt: turn('user', 'hello'),
      chosen: turn('assistant', 'world'),
      rejected: turn('assistant', 'day'),
      extra: {},
    };
    const { answers } = tokeniseJudged(row, tokenizer, options)!;
    for (const { tokens, reads } of answers) {
      expect(tokenizer.decode(tokens)).toMatch(/<\|end\|>\n$/);
      expect(reads).toEqual([lastOf(tokens)]);
    }
  });

  it('of a process: at the end of each step with its separator', () => {
    const row = { prompt: 'hello', completions: ['wo', 'day x'], labels: [true, false], extra: {} };
    const { answers, verdict } = tokeniseJudged(row, tokenizer, options)!;
    const [{ tokens, reads }] = answers as [(typeof answers)[number]];
    expect(tokenizer.decode(tokens)).toBe('wo\nday x\n');
    expect(tokenizer.decode(tokens.slice(0, reads[0]! + 1))).toBe('wo\n');
    expect(reads[1]).toBe(lastOf(tokens));
    expect(verdict).toEqual({ kind: 'process', labels: [true, false] });
  });
});

it('rankings are sorted best first, with ties in their order', () => {
  const row = {
    prompt: 'hello',
    completions: ['a', 'b', 'c', 'd'],
    ranks: [2, 1, 2, 3],
    extra: {},
  };
  const { answers, verdict } = tokeniseJudged(row, tokenizer, options)!;
  const texts = answers.map(({ tokens }) => tokenizer.decode(tokens, { skipSpecialTokens: true }));
  expect(texts).toEqual(['b', 'a', 'c', 'd']);
  expect(verdict).toEqual({ kind: 'ranking', ranks: [1, 2, 2, 3] });
});

it('margins come from the row, from its scores, or are zero', () => {
  const row = { ...plain, margin: 2, score_chosen: 0.9, score_rejected: 0.4 };
  const marginOf = (own: Partial<JudgedOptions>) =>
    tokeniseJudged(row, tokenizer, { ...options, ...own })!.verdict;
  expect(marginOf({})).toEqual({ kind: 'pair', margin: 2 });
  expect(marginOf({ margin: 'scores', marginScale: 2 })).toEqual({ kind: 'pair', margin: 1 });
  expect(marginOf({ margin: 'none' })).toEqual({ kind: 'pair', margin: 0 });
});

it('a row with an answer that does not fit is skipped: answers are never cut', () => {
  const { prompt, answers } = tokeniseJudged(plain, tokenizer, options)!;
  const longest = prompt.length + Math.max(...answers.map(({ tokens }) => tokens.length));
  expect(tokeniseJudged(plain, tokenizer, { ...options, maxLength: longest })).not.toBeNull();
  expect(tokeniseJudged(plain, tokenizer, { ...options, maxLength: longest - 1 })).toBeNull();
});

it('packs a prompt once, and reads at the last tokens', () => {
  const one = tokeniseJudged(plain, tokenizer, options)!;
  const batch = packJudged([one, one]);
  const [chosen, rejected] = one.answers.map(({ tokens }) => tokens.length) as [number, number];
  expect(batch.packed.tokens).toHaveLength(one.prompt.length + 2 * (chosen + rejected));
  expect(batch.unsharedTokens).toBe(2 * (2 * one.prompt.length + chosen + rejected));
  expect([...batch.reads].map((at) => batch.packed.tokens[at])).toEqual([end, end, end, end]);
  expect(batch.firstReads).toEqual([0, 2]);
  expect([...batch.lengths]).toEqual([chosen, rejected, chosen, rejected]);
  // Only the chosen answer, whose first token is predicted by the prompt's last.
  expect(batch.best.rows[0]).toBe(one.prompt.length - 1);
  expect(batch.best.targets).toHaveLength(2 * chosen);
});
