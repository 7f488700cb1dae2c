import { describe, expect, test } from 'vitest';
import { droppedByTraining, leftOutOfPrompt, rowMarkFault } from './dropped-columns.ts';
import { parseRow } from './parse-row.ts';
import type { RowKind } from './rows.ts';

const place = { file: 'rows.jsonl', line: 3 };
const messages = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello' },
];
const pair = { prompt: 'a', chosen: 'b', rejected: 'c' };

test('marks of a row are found without its other columns', () => {
  const marked = (columns: object) =>
    rowMarkFault(parseRow('prompt', { prompt: 'a', context: 'b', ...columns }, place));
  expect(marked({ train: false })).toMatchObject({ field: 'train' });
  expect(marked({ weight: 0.5 })).toMatchObject({ field: 'weight' });
  expect(marked({ train: true, weight: 1 })).toBeNull();
});

describe('what training would drop', () => {
  const dropped = (kind: RowKind, row: object) => droppedByTraining(parseRow(kind, row, place));

  test('the weight of a row', () => {
    expect(dropped('preference', { ...pair, weight: 0.5 })).toMatchObject({ field: 'weight' });
    expect(dropped('messages', { messages, weight: '2' })).toMatchObject({ field: 'weight' });
    expect(dropped('preference', { ...pair, sample_weight: 2 })).toMatchObject({
      field: 'sample_weight',
    });
    expect(dropped('messages', { messages, Weight: 0 })).toMatchObject({ field: 'Weight' });
    expect(dropped('messages', { messages, row_weight: 2 })).toMatchObject({ field: 'row_weight' });
    expect(dropped('messages', { messages, weight: 1 })).toBeNull();
    expect(dropped('messages', { messages, weight: 'heavy' })).toBeNull();
  });

  test('reasoning beside the answer that it belongs to', () => {
    const reasoning = 'Two and two make four.';
    const row = { prompt: 'What is 2 + 2?', completion: 'It is 4.' };
    const field = 'reasoning_content';
    expect(dropped('completion', { ...row, [field]: reasoning })).toMatchObject({ field });
    expect(dropped('unpaired', { ...row, label: true, Complex_CoT: reasoning })).toMatchObject({
      field: 'Complex_CoT',
    });
    expect(dropped('preference', { ...pair, chosen_reasoning: reasoning })).toMatchObject({
      field: 'chosen_reasoning',
    });
    for (const setting of ['on', 'gpt-5', 512, true, ['on', 3], { effort: 'high' }])
      expect(dropped('completion', { ...row, [field]: setting })).toBeNull();
    for (const left of ['2 + 2 is 4', ['It is', reasoning], { steps: [reasoning] }])
      expect(dropped('completion', { ...row, [field]: left })).toMatchObject({ field });
    const steps = [reasoning, 'So I say it.'];
    const shown = { ...row, completion: `${steps.join(' ')} It is 4.` };
    expect(dropped('completion', { ...shown, [field]: steps })).toBeNull();
    expect(dropped('completion', { ...shown, [field]: JSON.stringify(steps) })).toBeNull();
    const thought = { ...row, completion: `<think>\n${reasoning}\n</think>\nIt is 4.` };
    expect(dropped('completion', { ...thought, [field]: reasoning })).toBeNull();
    const said = [...messages, { role: 'assistant', content: 'b', [field]: reasoning }];
    expect(dropped('messages', { messages: said, [field]: reasoning })).toBeNull();
    expect(dropped('prompt', { prompt: 'a', [field]: reasoning })).toBeNull();
  });

  test('text of a short column that is only a part of other words', () => {
    const asked = (prompt: string, input: string) =>
      leftOutOfPrompt(parseRow('prompt', { prompt, input }, place));
    expect(asked('Is the letter a vowel?', 'e')).toMatchObject({ field: 'input' });
    expect(asked('Double 112.', '12')).toMatchObject({ field: 'input' });
    expect(asked('Is the letter e a vowel?', 'e')).toBeNull();
    expect(asked('Double (12), and 112.', '12')).toBeNull();
    expect(asked('\u4e2d\u6587', '\u6587')).toBeNull();
  });

  test('an answer that was cut off, where it would be imitated or labelled', () => {
    const cut = { prompt: 'a', completion: 'b', finish_reason: 'length' };
    expect(dropped('completion', cut)).toMatchObject({ field: 'finish_reason' });
    expect(dropped('unpaired', { ...cut, label: true })).toMatchObject({ field: 'finish_reason' });
    expect(dropped('completion', { ...cut, finish_reason: 'stop' })).toBeNull();
    expect(dropped('preference', { ...pair, finish_reason: 'length' })).toBeNull();
    const field = 'rejected_finish_reason';
    expect(dropped('preference', { ...pair, [field]: 'length' })).toMatchObject({ field });
    const ranked = { prompt: 'a', completions: ['b', 'c'], scores: [1, 2] };
    const reasons = (...finish_reasons: string[]) =>
      dropped('ranking', { ...ranked, finish_reasons });
    expect(reasons('stop', 'length')).toMatchObject({ field: 'finish_reasons' });
    expect(reasons('stop', 'stop')).toBeNull();
    // As CSV and some Parquet files write lists.
    const text = { ...ranked, finish_reasons: '["stop", "length"]' };
    expect(dropped('ranking', text)).toMatchObject({ field: 'finish_reasons' });
    // Of other answers than the row's.
    expect(reasons('length')).toBeNull();
  });

  test.each<[string, unknown]>([
    ['train', false],
    ['Trainable', 'False'],
    ['masked', 1],
    ['unmask', true],
  ])('the mark %s: %j of a row', (name, value) => {
    expect(dropped('messages', { messages, [name]: value })).toMatchObject({ field: name });
    const other = name === 'train' || name === 'Trainable';
    for (const harmless of [other, null, 'x']) {
      expect(dropped('preference', { ...pair, [name]: harmless })).toBeNull();
    }
  });

  test('a text prompt next to messages, unless they have it', () => {
    expect(dropped('messages', { messages, prompt: 'Say:' })).toMatchObject({ field: 'prompt' });
    for (const prompt of ['Hi ', '', null, [{ role: 'user', content: 'x' }]]) {
      expect(dropped('messages', { messages, prompt })).toBeNull();
    }
  });

  test('instructions and earlier turns, unless the row has them', () => {
    for (const name of ['instruction', 'Instructions', 'History', 'history']) {
      const row = { [name]: 'Translate to French.' };
      expect(dropped('messages', { messages, ...row })).toMatchObject({ field: name });
      expect(dropped('preference', { ...pair, ...row })).toMatchObject({ field: name });
      expect(dropped('messages', { messages, [name]: ' Hi ' })).toBeNull();
    }
    expect(dropped('preference', { ...pair, Input: 'x' })).toMatchObject({ field: 'Input' });
    expect(dropped('messages', { messages, Input: 'x', context: 'y' })).toBeNull();
  });

  test('a label that marks the answer as bad', () => {
    const row = { prompt: 'a', completion: 'b' };
    expect(dropped('supervised', { ...row, Label: 'False' })).toMatchObject({ field: 'Label' });
    for (const label of [false, 0, -1, 'False', '0.0', '-1', 'no']) {
      expect(dropped('supervised', { ...row, label })).toMatchObject({ field: 'label' });
    }
    for (const label of [true, 1, '1.0', ' ', null, 'greeting']) {
      expect(dropped('supervised', { ...row, label })).toBeNull();
    }
    expect(dropped('messages', { messages, kto_tag: false })).toMatchObject({ field: 'kto_tag' });
    // The class of a text, not a verdict.
    expect(dropped('supervised', { text: 'a', label: 0 })).toBeNull();
  });

  test('the input of an instruction, unless the prompt has it', () => {
    expect(dropped('preference', { ...pair, input: 'the text' })).toMatchObject({ field: 'input' });
    expect(
      dropped('preference', { ...pair, prompt: 'Sum: the text', input: 'the text ' }),
    ).toBeNull();
    expect(dropped('preference', { ...pair, input: ' ' })).toBeNull();
  });

  test('lists and objects with text, and numbers, unless the prompt has them', () => {
    const row = { prompt: 'Double it', completion: '42' };
    for (const part of [
      21,
      [21],
      { text: 'Bob did.' },
      [{ title: 'T', text: 'Bob did.', id: 1 }],
    ]) {
      expect(dropped('supervised', { ...row, input: part })).toMatchObject({ field: 'input' });
      expect(dropped('supervised', { ...row, context: part })).toMatchObject({ field: 'context' });
    }
    const prompt = 'T: Bob did. Double 21';
    for (const part of [21, { id: 7, text: 'Bob did.' }, {}, [], true]) {
      expect(dropped('supervised', { ...row, prompt, input: part })).toBeNull();
    }
    for (const system of [['Be X'], { text: 'Be X' }, 3]) {
      expect(() => parseRow('completion', { ...row, system }, place)).toThrow(/"system"/);
    }
    expect(() => parseRow('completion', { ...row, system: {} }, place)).not.toThrow();
  });

  test('the context of a question and earlier turns, unless the prompt has them', () => {
    const row = { completion: 'b', context: 'X began\nin 1999.' };
    expect(dropped('supervised', { ...row, prompt: 'When?' })).toMatchObject({ field: 'context' });
    const prompt = 'X  began in 1999.\n\nWhen?';
    expect(dropped('supervised', { ...row, prompt })).toBeNull();
    const chat = { prompt: [{ role: 'user', content: prompt }], chosen: messages.slice(1) };
    const rejected = [{ role: 'assistant', content: 'No' }];
    expect(dropped('preference', { ...chat, rejected, context: row.context })).toBeNull();
    expect(dropped('preference', { ...pair, history: 'Q: Hi' })).toMatchObject({
      field: 'history',
    });
    expect(dropped('preference', { ...pair, context: ['a', 'x'] })).toMatchObject({
      field: 'context',
    });
  });
});
