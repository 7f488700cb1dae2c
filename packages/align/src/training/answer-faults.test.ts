// Faults that every row source refuses: answers that the template renders as nothing, and ordered
// answers with the same tokens.
import { describe, expect, it } from 'vitest';
import { defaultScoring, type ScoringRules } from '../batching/scoring-rules.ts';
import type { JudgedRow, PreferenceRow, SupervisedRow } from '../data/rows.ts';
import { UnpairedSource } from '../methods/answers/unpaired-source.ts';
import { PairSource } from '../methods/pairs/pair-source.ts';
import { RankingSource } from '../methods/rankings/ranking-source.ts';
import { JudgedSource } from '../methods/reward/judged-source.ts';
import { ExampleSource } from '../methods/supervised/example-source.ts';
import { rowsOf, tinyChatTokenizer, tinyTemplate } from '../testing/tiny-chat-model.ts';

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

describe('answers that the template renders as nothing', () => {
  const keeps = tinyChatTokenizer(tinyTemplate);
  const calls = { tool_calls: [{ type: 'function', function: { name: 'f', arguments: {} } }] };
  const examples = (row: SupervisedRow, tokenizer = trims, rules: Partial<ScoringRules> = {}) =>
    new ExampleSource(rowsOf([row]), tokenizer, {
      ...plain,
      rules: { ...defaultScoring, ...rules },
    });
  const chat = (...answers: string[]): SupervisedRow => ({
    messages: answers.flatMap((text) => [...prompt, ...answer(text)]),
    extra: {},
  });
  const silent = {
    name: 'DataError',
    row: 1,
    found: expect.stringMatching(/chat template writes nothing/),
  };

  it('are refused in every kind of row', async () => {
    const blank = answer(' \n');
    const kto = { prompt, completion: blank, label: true, extra: {} };
    const row = pair(answer('x'), blank);
    const field = 'rejected';
    for (const [source, more] of [
      [pairs(row), { field }],
      [rankings(row), { field }],
      [judged(row), { field }],
      [new UnpairedSource(rowsOf([kto]), trims, plain), { field: 'completion' }],
      [examples({ prompt, completion: blank, extra: {} }), {}],
      [examples(chat(' ')), {}],
      [examples(chat('a', ' '), trims, { assistantTurns: 'last' }), {}],
      [examples({ prompt, completion: answer('', calls), extra: {} }), {}],
    ] as const) {
      await expect(source.next(1)).rejects.toMatchObject({ ...silent, ...more });
    }
  });

  it('may also continue an answer that the prompt begins', async () => {
    const begun = [...prompt, ...answer('the colour')];
    const row = (content: string) => ({ prompt: begun, completion: answer(content), extra: {} });
    await expect(examples(row(' ')).next(1)).rejects.toMatchObject(silent);
    await expect(examples(row(' red')).next(1)).resolves.toHaveLength(1);
  });

  it('do not include those with another turn, or with rendered white space', async () => {
    await expect(examples(chat('a', ' ')).next(1)).resolves.toHaveLength(1);
    await expect(examples(chat(' '), keeps).next(1)).resolves.toHaveLength(1);
    const text = { prompt: 'a', completion: ' ', extra: {} };
    await expect(examples(text).next(1)).resolves.toHaveLength(1);
  });
});
