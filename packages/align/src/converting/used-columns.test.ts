// Every column of a format is used, counted as not written, or refused: never dropped or bent.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DataError } from '../data/data-error.ts';
import { temporaryFiles } from '../data/fixtures/temporary-files.ts';
import { type ConversionOptions, convertRows } from './convert-rows.ts';

const { write, folder } = temporaryFiles();

type Given = Partial<ConversionOptions> & { name?: string };

async function converted(row: unknown, { name = 'in.jsonl', ...given }: Given = {}) {
  const rows = Array.isArray(row) ? row : [row];
  const text = typeof row === 'string' ? row : rows.map((one) => JSON.stringify(one)).join('\n');
  const output = join(folder, 'out.jsonl');
  const { dropped } = await convertRows({
    ...{ files: [write(name, text)], output, from: 'auto', to: null, pairing: 'best_worst' },
    ...{ seed: 42, score: null, columns: null, wrapChat: false, keep: null, drop: null },
    ...{ system: null, onBadRow: 'fail', overwrite: true },
    ...given,
  });
  const [written] = readFileSync(output, 'utf8').split('\n');
  return { row: JSON.parse(written!), dropped: dropped.map(({ column }) => column), why: dropped };
}

async function faultOf(row: unknown, given: Given = {}): Promise<string | undefined> {
  const error = await converted(row, given).then(
    ({ row: found }) => expect.fail(`nothing was refused: ${JSON.stringify(found)}`),
    (thrown: Error) => thrown,
  );
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).field;
}

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const chat = (...turns: object[]) => JSON.stringify(turns);

describe('calls', () => {
  const oslo = { city: 'Oslo' };
  const calls = [{ type: 'function', function: { name: 'f', arguments: oslo } }];
  const asked = (turn: object) => ({ messages: [user('W?'), { role: 'assistant', ...turn }] });
  const old = { content: null, function_call: { name: 'f', arguments: JSON.stringify(oslo) } };

  test.each([null, [], undefined])('next to "tool_calls": %j', async (tool_calls) => {
    const { row } = await converted(asked({ ...old, tool_calls }));
    expect(row.messages[1]).toEqual({ role: 'assistant', content: null, tool_calls: calls });
    const { row: shared } = await converted({
      conversations: [
        { from: 'human', value: 'W?' },
        {
          from: 'function_call',
          value: '{"name": "f", "parameters": {"city": "Oslo"}}',
          tool_calls,
        },
      ],
    });
    expect(shared.messages[1].tool_calls).toEqual(calls);
  });

  test('in two forms, or with arguments that no template shows', async () => {
    expect(await faultOf(asked({ ...old, tool_calls: calls }))).toBe('messages[1].tool_calls');
    const args = { content: '', function_call: { name: 'f', args: oslo } };
    expect(await faultOf(asked(args))).toBe('messages[1].tool_calls[0].function.args');
    const listed = { from: 'function_call', value: '[]' };
    const turns = { conversations: [{ from: 'human', value: 'W?' }, listed] };
    expect(await faultOf(turns)).toBe('conversations[1]');
  });

  test("in OpenAI's form within a turn", async () => {
    const value = JSON.stringify(calls);
    const { row } = await converted({
      conversations: [
        { from: 'human', value: 'W?' },
        { from: 'tool_call', value },
      ],
    });
    expect(row.messages[1].tool_calls).toEqual(calls);
  });
});

describe('a turn with two texts or roles', () => {
  const turns = (turn: object) => ({
    conversations: [
      { from: 'human', value: 'q' },
      { from: 'gpt', value: 'a', ...turn },
    ],
  });

  test.each<[object, string]>([
    [{ content: 'b' }, 'content'],
    [{ role: 'user' }, 'role'],
  ])('%j is refused', async (turn, field) => {
    expect(await faultOf(turns(turn))).toBe(`conversations[1].${field}`);
  });

  test('is read if both are the same', async () => {
    const { row } = await converted(turns({ role: 'assistant', content: 'a' }));
    expect(row.messages).toEqual([user('q'), assistant('a')]);
  });
});

describe('messages as JSON text', () => {
  const turn = (from: string, value: string) => ({ from, value });

  test('are read in the columns of a format', async () => {
    const pair = { chosen: [assistant('a')], rejected: [assistant('b')] };
    const asked = { prompt: [user('q')], ...pair };
    const texts = { prompt: chat(user('q')), chosen: chat(assistant('a')) };
    const shared = {
      conversations: chat(turn('human', 'q')),
      chosen: chat(turn('gpt', 'a')),
      rejected: JSON.stringify(turn('gpt', 'b')),
    };
    expect((await converted({ ...texts, rejected: chat(assistant('b')) })).row).toEqual(asked);
    expect((await converted(shared)).row).toEqual(asked);
    const json = { ...shared, chosen: '{"a": 1}', rejected: '[1]' };
    expect((await converted(json)).row.chosen).toEqual([assistant('{"a": 1}')]);
  });

  test.each<[object, string]>([
    [{ instruction: chat(user('q')), output: 'a' }, 'instruction'],
    [{ instruction: 'q', output: chat(assistant('a')) }, 'output'],
    [{ instruction: 'q', chosen: chat(assistant('a')), rejected: 'b' }, 'chosen'],
    [{ instruction: 'q', system: "[{'role': 'system', 'content': 's'}]", output: 'a' }, 'system'],
    [{ instruction: 'q', response: chat(assistant('a')) }, 'output'],
    [
      { instruction: 'q', completions: [{ response: chat(assistant('a')) }, { response: 'b' }] },
      'completions[0].response',
    ],
    [
      { context: 'q', response1: chat(assistant('a')), response2: 'b', overall_preference: 1 },
      'response1',
    ],
    [{ prompt: chat(user('q')), completion: 'a', label: true }, 'prompt'],
  ])('are refused where text is expected: %j', async (row, field) => {
    expect(await faultOf(row)).toBe(field);
  });

  test.each(['sft', 'kto'] as const)('are not made a message by --wrap-chat: %s', async (to) => {
    const row = { prompt: chat(user('q')), completion: 'a', ...(to === 'kto' && { label: true }) };
    expect(await faultOf(row, { from: 'keel', wrapChat: true })).toBe('prompt');
    const single = { ...row, prompt: JSON.stringify(user('q')) };
    expect(await faultOf(single, { from: 'keel', wrapChat: true })).toBe('prompt');
  });
});

describe('ratings of UltraFeedback', () => {
  const rated = (response: string, ratings: object, overall_score?: number) => ({
    response,
    overall_score,
    annotations: Object.fromEntries(
      Object.entries(ratings).map(([aspect, Rating]) => [aspect, { Rating }]),
    ),
  });
  const row = (...completions: object[]) => ({ instruction: 'Q', completions });

  test('the mean is of the ratings that every answer has', async () => {
    const missing = rated('bad', { help: '1', honesty: 'N/A', truth: 2 }, 9);
    const whole = rated('best', { help: '5', honesty: '5', truth: '4' }, 5);
    const found = await converted(row(missing, whole));
    expect(found.row.scores).toEqual([1.5, 4.5]);
    expect(found.dropped).toContain('completions.annotations.honesty');
    expect(found.dropped).toContain('completions.overall_score');
  });

  test('an answer without ratings: the same measure for all', async () => {
    const found = await converted(row(rated('a', { help: 'N/A' }, 3), rated('b', { help: 5 }, 7)));
    expect(found.row.scores).toEqual([3, 7]);
    expect(found.dropped).not.toContain('completions.overall_score');
    expect(await faultOf(row(rated('a', {}), rated('b', { help: 5 }, 7)))).toBe('completions[0]');
    expect(await faultOf(row(rated('a', {}, 1), rated('b', { help: 5 })))).toBe('completions');
  });

  test('other measures and fields of answers', async () => {
    const fine = (one: object, score: unknown) => ({ ...one, 'fine-grained_score': score });
    const [a, b] = [rated('a', { help: 1 }, 4), rated('b', { help: 5 }, 2)];
    expect((await converted(row(fine(a, 3), fine(b, 2)))).row.scores).toEqual([3, 2]);
    expect((await converted(row(fine(a, 3), fine(b, null)))).row.scores).toEqual([1, 5]);
    expect((await converted(row(a, b), { score: 'overall_score' })).row.scores).toEqual([4, 2]);
    expect(await faultOf(row(fine(a, 3), b), { score: 'fine-grained_score' })).toBe(
      'completions[1]',
    );
    const more = await converted(row({ ...a, tool_calls: [{}], critique: ' ' }, b));
    expect(more.dropped).toContain('completions.tool_calls');
    expect(more.dropped).not.toContain('completions.critique');
  });
});

describe('UltraFeedback binarized', () => {
  const pair = {
    chosen: [user('q1'), assistant('a1'), user('q2'), assistant('a')],
    rejected: [user('q1'), assistant('a1'), user('q2'), assistant('b')],
  };

  test.each([
    ' q2 ',
    'q1',
    '',
    null,
    chat(user('q1')),
    chat(...pair.chosen.slice(0, 3)),
  ])('the prompt %j is in both chats', async (prompt) => {
    expect((await converted({ ...pair, prompt })).row.prompt).toEqual(pair.chosen.slice(0, 3));
  });

  test.each([
    'Translate: q2',
    'a1',
    5,
    chat(user('q2')),
    { text: 'q2' },
  ])('the prompt %j is not', async (prompt) => {
    expect(await faultOf({ ...pair, prompt })).toBe('prompt');
  });

  test.each(['score_chosen', 'score_rejected', 'margin'])('%s is a number', async (name) => {
    expect((await converted({ ...pair, [name]: ' 4.5 ' })).row[name]).toBe(4.5);
    expect((await converted({ ...pair, [name]: 'nan' })).row).not.toHaveProperty(name);
    for (const value of ['high', true, '0x10', [1]]) {
      expect(await faultOf({ ...pair, [name]: value })).toBe(name);
    }
  });

  test('messages that are not those of chosen are not said to be', async () => {
    const why = async (messages: object[]) =>
      (await converted({ ...pair, messages })).why.find(({ column }) => column === 'messages')!.why;
    expect(await why(pair.chosen)).not.toBe(await why(pair.rejected));
  });
});

test.each([-100, 3.5, true, ' ', '0x1', null])('the preference %j of HelpSteer3', async (value) => {
  const row = { context: [user('q')], response1: 'a', response2: 'b', overall_preference: value };
  expect(await faultOf(row)).toBe('overall_preference');
});

describe('HelpSteer', () => {
  const rows = (first: object, second: object = first) => [
    { prompt: 'q', response: 'a', helpfulness: 4, ...first },
    { prompt: 'q', response: 'b', helpfulness: 1, ...second },
  ];

  test('parts of the prompt are the same for all answers', async () => {
    expect(await faultOf(rows({ system: 'x' }, { system: 'y' }))).toBe('system');
    expect(await faultOf(rows({}, { tools: [{ name: 'f' }] }))).toBe('tools');
    expect((await converted(rows({ note: 1 }, { note: 2, more: 3 }))).dropped).toEqual([
      'note',
      'more',
    ]);
    const scored = await converted(rows({ quality: 1 }, { quality: 2 }), { score: 'quality' });
    expect(scored).toMatchObject({ row: { scores: [1, 2] }, dropped: ['helpfulness'] });
  });

  test.each([
    'q\n<extra_id_1>Assistant a1',
    'q\n<extra_id_0>System\ns',
    'q\n<extra_id_1>Assistant\na',
  ])('the prompt %j', async (prompt) => {
    expect(await faultOf(rows({ prompt }))).toBe('prompt');
  });
});

describe('prompts that end with an answer', () => {
  const answered = [user('q'), assistant('a')];
  test.each<[object, string]>([
    [{ conversations: answered, chosen: 'a', rejected: 'b' }, 'conversations'],
    [
      {
        input: { messages: answered },
        preferred_output: [assistant('a')],
        non_preferred_output: [assistant('b')],
      },
      'input.messages',
    ],
    [{ context: answered, response1: 'a', response2: 'b', overall_preference: 1 }, 'context'],
  ])('%j', async (row, field) => {
    expect(await faultOf(row)).toBe(field);
  });
});

describe("OpenAI's requests", () => {
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const messages = [user('q'), assistant('a')];
  const request = { messages, model: 'm', temperature: 0, chat_template_kwargs: { x: 1 } };

  test('their settings are counted, and template variables are used', async () => {
    const { row, dropped } = await converted({ body: request, id: 1, tools });
    expect(row).toEqual({ id: 1, messages, tools, chat_template_kwargs: { x: 1 } });
    expect(dropped).toEqual(['body.model', 'body.temperature']);
    const pair = {
      input: { ...request, messages: [user('q')], tools },
      preferred_output: [assistant('a')],
      non_preferred_output: [assistant('b')],
    };
    const found = await converted(pair);
    expect(found.row).toMatchObject({ tools, chat_template_kwargs: { x: 1 } });
    expect(found.dropped).toEqual(['input.model', 'input.temperature']);
    expect((await converted({ ...pair, input: JSON.stringify(pair.input) })).row).toEqual(
      found.row,
    );
  });

  test.each<[object, string]>([
    [{ body: { ...request, instructions: 's' } }, 'body.instructions'],
    [{ body: { ...request, system: 's' } }, 'body.system'],
    [{ body: { ...request, tools }, tools: [{ name: 'g' }] }, 'tools'],
    [{ body: request, chat_template_kwargs: '{"x": 2}' }, 'chat_template_kwargs'],
    [{ messages: [user('q'), { ...assistant('a'), refusal: 'no' }] }, 'messages[1].refusal'],
  ])('%j is refused', async (row, field) => {
    expect(await faultOf(row)).toBe(field);
  });

  test('a column "body" of text stays, and columns beside a body do too', async () => {
    expect((await converted({ messages, body: 'text' })).row).toEqual({ messages, body: 'text' });
    const functions = [{ name: 'g' }];
    expect(await faultOf({ body: { messages }, functions })).toBe('functions');
    expect((await converted({ body: { messages }, messages: [user('x')] })).dropped).toEqual([
      'messages',
    ]);
  });
});

test('labels of CSV files are read, and blank cells of pairs are none', async () => {
  const header = 'instruction,output,chosen,rejected,kto_tag,tools\n';
  const tools = '"[{""name"": ""f""}]"';
  const read = async (cells: string) =>
    (await converted(`${header}${cells}\n`, { name: 'in.csv' })).row;
  expect(await read('q,a,,,False,')).toMatchObject({ label: false });
  expect(await read('q,a,,,1.0,')).toMatchObject({ label: true });
  expect(await read(`q,a,,,,${tools}`)).toMatchObject({
    tools: [{ type: 'function', function: { name: 'f' } }],
  });
  expect(await faultOf(`${header}q,a,,,good,\n`, { name: 'in.csv' })).toBe('label');
  expect(await faultOf(`${header}q,a,b,,,\n`, { name: 'in.csv' })).toBe('rejected');
});

test.each<[object, string]>([
  [{ instruction: 'q', output: 'a', Input: 'i' }, 'Input'],
  [{ instruction: 'q', output: 'a', System: 's' }, 'System'],
  [{ instruction: 'q', response: 'a', Context: 'c' }, 'Context'],
  [{ conversations: [user('q'), assistant('a')], 'kto-tag': false }, 'kto-tag'],
  [{ instruction: 'q', output: 'a', history: [['q0', 'a0', 'x']] }, 'history[0]'],
])('a column that its format would read, written in another form: %j', async (row, field) => {
  expect(await faultOf(row)).toBe(field);
});

test('--keep preserves what the template receives and what the row is checked by', async () => {
  const messages = [user('q'), assistant('a')];
  const own = { messages, tools: [{ name: 'f' }], chat_template_kwargs: { x: false } };
  const found = await converted({ ...own, id: 1, source: 's' }, { from: 'keel', keep: ['id'] });
  expect(found.row).toEqual({ ...own, id: 1 });
  expect(await faultOf({ messages, label: false, id: 1 }, { keep: ['id'] })).toBe('label');
});

test.each<[object, string]>([
  [{ instruction: 'q', output: 'a', context: 'c' }, 'context'],
  [
    { prompt: 'q', response1: 'a', response_1: 'x', response2: 'b', overall_preference: 1 },
    'response_1',
  ],
  [{ prompt: 'q', response_1: 'a', response_2: 'b', labels: [1], votes: [2] }, 'votes'],
  [{ body: { messages: [user('q'), assistant('a')], Tools: [{ name: 'f' }] } }, 'body.Tools'],
])('a column with a meaning that its format does not use: %j', async (row, field) => {
  expect(await faultOf(row)).toBe(field);
});

test('an empty context of HelpSteer3 leaves the prompt', async () => {
  const row = { prompt: 'q', context: '[]', response1: 'a', response2: 'b', overall_preference: 1 };
  expect((await converted(row)).row.prompt).toEqual([user('q')]);
});

test('a pair without one of its answers is no prompt', async () => {
  expect(await faultOf({ prompt: 'q', chosen: 'a', rejected: null })).toBe('rejected');
  expect(await faultOf({ prompt: 'q', rejected: 'b' })).toBe('chosen');
});

test('one score of a pair is counted when it becomes a ranking', async () => {
  const row = { prompt: 'q', chosen: 'a', rejected: 'b', score_rejected: 1 };
  expect((await converted(row, { to: 'rankings' })).dropped).toEqual(['score_rejected']);
});
