import { expect, it } from 'vitest';
import { parseRow } from '../data/parse-row.ts';
import type { Row, RowKind } from '../data/rows.ts';
import { type ExamineOptions, examineRows, type WalkedRows } from './examine-rows.ts';
import { dataWarnings } from './warnings.ts';

const rowsOf = (kind: RowKind, file: string, values: readonly object[]): WalkedRows => {
  const place = (index: number) => ({ file, line: index + 1 });
  const rows = values.map((value, index): Row => parseRow(kind, value, place(index)));
  return {
    length: rows.length,
    place,
    async *iterate() {
      yield* rows;
    },
  };
};

const examine = (
  kind: RowKind,
  values: readonly object[],
  { heldOut, ...options }: ExamineOptions & { heldOut?: readonly object[] } = {},
) =>
  examineRows(
    rowsOf(kind, 'a.jsonl', values),
    heldOut ? rowsOf(kind, 'b.jsonl', heldOut) : null,
    options,
  );

const pair = (prompt: string, chosen: string, rejected: string) => ({ prompt, chosen, rejected });
const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

it('counts repeated rows, prompts and contradictions, whatever their case and white space', async () => {
  const { duplicates } = await examine('preference', [
    pair('What is it?', 'A cat', 'A dog'),
    pair('What  is it?\n', 'a CAT', 'a dog'),
    pair('what is it?', 'a cow', 'a dog'),
    pair('what is it?', 'a dog', 'a cat'),
    pair('Who?', 'a cat', 'a dog'),
  ]);
  expect(duplicates.rows).toEqual({
    count: 1,
    examples: [{ row: 'a.jsonl:2', earlier: 'a.jsonl:1' }],
  });
  expect(duplicates.prompts).toMatchObject({
    count: 2,
    examples: [{ row: 'a.jsonl:3' }, { row: 'a.jsonl:4' }],
  });
  expect(duplicates.contradictions.examples).toEqual([{ row: 'a.jsonl:4', earlier: 'a.jsonl:1' }]);
  expect(duplicates.judgedBothWays.count).toBe(0);
});

it('rows that differ in reasoning, tools or template variables are no repeats', async () => {
  const said = (more: object) => [{ ...assistant('a'), ...more }];
  const rows = [
    { completion: said({ reasoning_content: 'one' }) },
    { completion: said({ reasoning_content: 'other' }) },
    { completion: said({}), chat_template_kwargs: { thinking: true } },
    { completion: said({}), chat_template_kwargs: { thinking: false } },
    { completion: said({}), tools: [{ name: 'f' }] },
    { completion: said({ reasoning_content: null }), tools: [{ name: 'f' }] },
  ].map((row) => ({ ...row, prompt: [user('q')], label: true }));
  const { duplicates } = await examine('unpaired', rows);
  expect(duplicates.rows.examples).toEqual([{ row: 'a.jsonl:6', earlier: 'a.jsonl:5' }]);
});

it('counts an answer that is chosen in one pair and rejected in another', async () => {
  const { duplicates } = await examine('preference', [
    pair('q', 'best', 'middle'),
    pair('q', 'middle', 'worst'),
    pair('other', 'worst', 'best'),
  ]);
  expect(duplicates.judgedBothWays.examples).toEqual([{ row: 'a.jsonl:2', earlier: 'a.jsonl:1' }]);
  expect(duplicates.contradictions.count).toBe(0);
});

it('counts opposite labels of the same answer', async () => {
  const { duplicates, training } = await examine('unpaired', [
    { prompt: 'q', completion: 'a', label: true },
    { prompt: 'q', completion: 'a', label: false },
    { prompt: 'q', completion: 'b', label: false },
  ]);
  expect(duplicates.contradictions.count).toBe(1);
  expect(training.labels).toEqual({ good: 1, bad: 2 });
});

it('reports which held-out rows and prompts are trained on, in either form', async () => {
  const question = 'How many bones does an adult human skeleton have?';
  const { overlap } = await examine(
    'preference',
    [pair(question, 'yes it has', 'no it does not'), pair('Name a fruit, please.', 'fig', 'oak')],
    {
      near: false,
      heldOut: [
        pair(question, 'yes it has', 'no it does not'),
        { prompt: [user(question)], chosen: [assistant('206')], rejected: [assistant('12')] },
        pair(`So, ${question}`, '206', '12'),
        pair('Where is the next railway station?', 'there', 'here'),
      ],
    },
  );
  expect(overlap).toMatchObject({
    rows: { count: 1, examples: [{ row: 'b.jsonl:1', earlier: 'a.jsonl:1' }] },
    prompts: { count: 1, examples: [{ row: 'b.jsonl:2', earlier: 'a.jsonl:1' }] },
    near: { count: 1, examples: [{ row: 'b.jsonl:3', earlier: 'a.jsonl:1' }] },
  });
});

it('compares plain texts as a whole', async () => {
  const text = 'It was a bright cold day in April, and the clocks were striking thirteen.';
  for (const near of [true, false]) {
    const { overlap, duplicates } = await examine(
      'text',
      [{ text }, { text: 'Call me Ishmael.' }],
      {
        near,
        heldOut: [{ text }, { text: `${text} So` }],
      },
    );
    expect(overlap).toMatchObject({
      rows: { count: 1 },
      near: { count: 1 },
      prompts: { count: 0 },
    });
    expect(duplicates.prompts.count).toBe(0);
  }
});

it('measures how well lengths predict the chosen answer', async () => {
  const { pairs } = await examine('preference', [
    ...Array.from({ length: 8 }, (_, at) => pair(`q${at}`, 'a long answer', 'short')),
    pair('q8', 'short', 'a long answer'),
    pair('q9', 'same!', 'alike'),
  ]);
  expect(pairs).toMatchObject({
    ...{ count: 10, unit: 'characters', chosenLonger: 8, chosenShorter: 1, sameLength: 1 },
    longerWins: { value: 0.85, count: 10 },
    lengthRule: { prefers: 'longer', accuracy: 0.85 },
    onHeldOut: null,
  });
});

it('counts every pair of differently ranked answers', async () => {
  const { pairs } = await examine('ranking', [
    { prompt: 'q', completions: ['aaa', 'b', 'cc'], ranking: [1, 2, 2] },
  ]);
  expect(pairs).toMatchObject({ count: 2, chosenLonger: 2 });
});

it('counts turns of the model that say nothing, wherever they are', async () => {
  const turns = [user('a'), assistant(' \n'), user('b'), assistant('c')];
  const { training } = await examine('supervised', [
    { messages: turns },
    { messages: [user('a'), { ...assistant(''), weight: 0 }, user('b'), assistant('c')] },
    { prompt: [user('a')], completion: turns.slice(1) },
  ]);
  expect(training.blankAnswers).toBe(2);
});

it('describes chats: turns, system messages, tools, unread fields', async () => {
  const call = { type: 'function', function: { name: 'look', arguments: {} } };
  const { training } = await examine('supervised', [
    { messages: [{ role: 'system', content: 'be brief' }, user('a'), assistant('b')], source: 'x' },
    { messages: [user('a'), { ...assistant(''), tool_calls: [call] }, assistant('c')] },
    { prompt: '', completion: ' ', source: 'y' },
    { text: 'z' },
  ]);
  expect(training).toMatchObject({
    ...{ count: 4, total: 4, chats: 2, plain: 2, tools: 1, emptyPrompts: 1, blankAnswers: 1 },
    system: { rows: 1, texts: 1 },
    turns: { min: 3, max: 3, count: 2 },
    unreadFields: [{ field: 'source', rows: 2 }],
    kinds: [
      { kind: 'messages', count: 2 },
      { kind: 'completion', count: 1 },
      { kind: 'text', count: 1 },
    ],
  });
});

it('reads no more rows than asked', async () => {
  const values = Array.from({ length: 20 }, (_, at) => ({ prompt: `q${at}` }));
  const { training } = await examine('prompt', values, { limit: 7 });
  expect(training).toMatchObject({ count: 7, total: 20 });
});

it('warns only of leaks, contradictions, bias by length and uneven labels', async () => {
  const codes = async (...given: Parameters<typeof examine>) =>
    dataWarnings(await examine(...given)).map(({ code }) => code);
  const fine = Array.from({ length: 40 }, (_, at) =>
    pair(`question ${at}`, 'x'.repeat(1 + (at % 2)), 'y'.repeat(2 - (at % 2))),
  );
  expect(await codes('preference', fine, { heldOut: [pair('apart', 'a', 'b')] })).toEqual([]);
  expect(await codes('preference', fine, { heldOut: fine })).toEqual(['held-out-rows']);
  expect(await codes('preference', fine, { heldOut: [pair('question 3', 'c', 'd')] })).toEqual([
    'held-out-prompts',
  ]);
  expect(await codes('preference', [...fine, fine[0]!])).toEqual(['duplicates']);
  const scored = (chosen: number, rejected: number) =>
    fine.map((one) => ({ ...one, score_chosen: chosen, score_rejected: rejected }));
  expect(await codes('preference', scored(9, 9))).toEqual([]);
  expect(await codes('preference', scored(1, 9))).toEqual(['opposite-scores']);
  const swapped = pair(fine[0]!.prompt, fine[0]!.rejected, fine[0]!.chosen);
  expect(await codes('preference', [...fine, swapped])).toEqual(['contradictions']);
  const long = fine.map(({ prompt }) => pair(prompt, 'a long answer', 'short'));
  expect(await codes('preference', long)).toEqual(['length-rule']);
  const labelled = fine.map(({ prompt }, at) => ({ prompt, completion: 'a', label: at < 5 }));
  expect(await codes('unpaired', labelled)).toEqual(['labels']);
});
