import { describe, expect, it } from 'vitest';
import { answerOpening } from '../../batching/answer-start.ts';
import { defaultScoring } from '../../batching/scoring-rules.ts';
import { tokeniseExample } from '../../batching/tokenise-example.ts';
import { tokenisePair } from '../../batching/tokenise-pair.ts';
import { tokenisePrompt } from '../../batching/tokenise-prompt.ts';
import { parseRow } from '../../data/parse-row.ts';
import { tinyChatTokenizer } from '../../testing/tiny-chat-model.ts';
import { isCutRow, parseLine, rowOfForm, type SampledPrompt } from './sampled-prompt.ts';

const sampled = (own: Partial<SampledPrompt> = {}): SampledPrompt => ({
  row: 4,
  prompt: 'Say it:',
  texts: [' a', '', ' bb', ' ccc'],
  scores: [1, 9, 3, 3],
  tokens: [2, 1, 3, 4],
  ended: [true, true, true, false],
  ...own,
});
const place = { file: 'out.jsonl', line: 1 };

describe('rowOfForm', () => {
  it('keeps the best non-empty answer, and the first of equal ones', () => {
    const row = rowOfForm(sampled(), 'best');
    expect(row).toEqual({
      row: 4,
      prompt: 'Say it:',
      completion: ' bb',
      score: 3,
      finish_reason: 'stop',
    });
    expect(parseRow('supervised', row, place)).toMatchObject({ completion: ' bb' });
  });

  it('pairs the best with the worst', () => {
    const row = rowOfForm(sampled(), 'pairs');
    expect(parseRow('preference', row, place)).toMatchObject({
      ...{ prompt: 'Say it:', chosen: ' bb', rejected: ' a' },
      ...{ score_chosen: 3, score_rejected: 1 },
      extra: { chosen_finish_reason: 'stop', rejected_finish_reason: 'stop' },
    });
  });

  it('keeps all answers with their scores', () => {
    const row = rowOfForm(sampled(), 'all');
    expect(parseRow('ranking', row, place)).toMatchObject({
      completions: [' a', ' bb', ' ccc'],
      scores: [1, 3, 3],
      ranks: [2, 1, 1],
    });
  });

  it('keeps what the prompt was rendered with', () => {
    const columns = { tools: [{ name: 'f' }], chat_template_kwargs: { enable_thinking: false } };
    const chat = sampled({ prompt: [{ role: 'user', content: 'Say it' }], ...columns });
    for (const form of ['best', 'pairs', 'all'] as const) {
      expect(rowOfForm(chat, form)).toMatchObject(columns);
    }
  });

  it('has the other columns of its row, behind its own, with their numbers as they were', () => {
    const columns = { id: 3, category: 'sums', score: 'high' };
    const text = JSON.stringify(sampled({ columns })).replace(
      '"id":3',
      '"id":12345678901234567890',
    );
    const row = rowOfForm(parseLine(text) as SampledPrompt, 'best');
    expect(row).toMatchObject({ id: 12345678901234567890n, category: 'sums', score: 3, row: 4 });
  });

  it('is a row that training refuses if a written answer was cut off', () => {
    const cut = (own: Partial<SampledPrompt>) =>
      (['best', 'pairs', 'all'] as const).map((form) => isCutRow(rowOfForm(sampled(own), form)!));
    expect(cut({})).toEqual([false, false, true]);
    expect(cut({ ended: [false, true, true, true] })).toEqual([false, true, true]);
    expect(cut({ ended: [true, true, false, true] })).toEqual([true, true, true]);
  });

  it('answers a chat as the assistant', () => {
    const chat = sampled({ prompt: [{ role: 'user', content: 'Say it' }] });
    expect(rowOfForm(chat, 'best')).toMatchObject({
      completion: [{ role: 'assistant', content: ' bb' }],
    });
    for (const [form, kind] of [
      ['best', 'supervised'],
      ['pairs', 'preference'],
      ['all', 'ranking'],
    ] as const) {
      expect(() => parseRow(kind, rowOfForm(chat, form), place)).not.toThrow();
    }
  });

  it.each([
    ['opens', '<think>\\n', '<think>\n'],
    ['opens and closes', '<think></think>', ''],
  ])('is trained on after the sampled prompt if the template %s a block', (_, opens, begins) => {
    const tokenizer = tinyChatTokenizer(
      "{% for m in messages %}{{ '[' + m.role + ':' + m.content + ']' }}{% endfor %}" +
        `{% if add_generation_prompt %}{{ '[assistant:${opens}' }}{% endif %}`,
    );
    const prompt = [{ role: 'user', content: 'Say it' }];
    const asked = tokenisePrompt({ prompt, extra: {} }, tokenizer, { maxPromptLength: null })!;
    const opened = answerOpening(asked.opened);
    expect(opened).toBe(begins);
    const texts = ['w</think>a', '', 'w</think>bb', 'ccc'];
    const chat = sampled({ prompt, texts, ...(opened && { opened }) });
    const answer = tokenizer.encode('w</think>bb]');
    const best = parseRow('supervised', rowOfForm(chat, 'best'), place);
    const how = { ...defaultScoring, maxLength: null };
    expect(tokeniseExample(best, tokenizer, how)!.tokens).toEqual([...asked.tokens, ...answer]);
    const pair = parseRow('preference', rowOfForm(chat, 'pairs'), place);
    expect(tokenisePair(pair, tokenizer, how)).toMatchObject({
      prompt: asked.tokens,
      chosen: { tokens: answer },
      rejected: { tokens: tokenizer.encode('w</think>a]') },
    });
  });

  it('makes no row without an answer, or without a better one', () => {
    const empty = sampled({ texts: ['', '', '', ''] });
    for (const form of ['best', 'all', 'pairs'] as const) expect(rowOfForm(empty, form)).toBeNull();
    expect(rowOfForm(sampled({ scores: [1, 9, 1, 1] }), 'pairs')).toBeNull();
    const same = sampled({ texts: ['x', 'x', 'x', 'x'] });
    expect(rowOfForm(same, 'pairs')).toBeNull();
    expect(rowOfForm(same, 'best')).toMatchObject({ completion: 'x', score: 9 });
  });
});
