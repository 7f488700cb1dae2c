// Every source of rows that order answers refuses answers that are the same tokens.
import { describe, expect, it } from 'vitest';
import type { JudgedRow, PreferenceRow } from '../data/rows.ts';
import { PairSource } from '../methods/pairs/pair-source.ts';
import { RankingSource } from '../methods/rankings/ranking-source.ts';
import { JudgedSource } from '../methods/reward/judged-source.ts';
import { rowsOf, tinyChatTokenizer } from '../testing/tiny-chat-model.ts';

const trims = tinyChatTokenizer(
  "{% for m in messages %}{{ '[' + m.role + ':' + m.content.strip() + ']' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '[assistant:' }}{% endif %}",
);
const plain = { seed: 1, shuffle: false, maxLength: null };
const reading = {
  ...{ readAt: 'last' as const, padTokenId: null, stepSeparator: '\n' },
  ...{ margin: 'none' as const, marginScale: 1 },
};
const answer = (content: string, more: object = {}) => [{ role: 'assistant', content, ...more }];
const prompt = [{ role: 'user', content: 'a' }];
const pair = (chosen: PreferenceRow['chosen'], rejected: PreferenceRow['chosen']) => ({
  ...{ prompt, chosen, rejected, extra: {} },
});
const ranked = (ranks: number[]): JudgedRow => ({
  ...{ prompt, completions: [answer('no'), answer('yes '), answer('yes')], ranks, extra: {} },
});

const judged = (row: JudgedRow) => new JudgedSource(rowsOf([row]), trims, { ...plain, reading });
const rankings = (row: JudgedRow) => new RankingSource(rowsOf([row]), trims, plain);
const pairs = (row: PreferenceRow) => new PairSource(rowsOf([row]), trims, plain);

describe('answers that the template renders alike', () => {
  it.each([
    ['white space', pair(answer('yes '), answer('yes'))],
    [
      'reasoning',
      pair(answer('x', { reasoning_content: 'a' }), answer('x', { reasoning_content: 'b' })),
    ],
  ])('are no pair: %s', async (_, row) => {
    for (const source of [pairs(row), rankings(row), judged(row)]) {
      await expect(source.next(1)).rejects.toMatchObject({
        ...{ name: 'DataError', row: 1, field: 'rejected' },
        found: expect.stringContaining('"chosen"'),
      });
    }
  });

  it('have one rank in a ranking', async () => {
    for (const make of [rankings, judged]) {
      await expect(make(ranked([1, 2, 3])).next(1)).rejects.toMatchObject({
        ...{ field: 'completions[2]', found: expect.stringContaining('"completions[1]"') },
      });
      await expect(make(ranked([1, 2, 2])).next(1)).resolves.toHaveLength(1);
    }
  });
});
