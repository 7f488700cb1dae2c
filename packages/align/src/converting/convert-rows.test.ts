// Rows in the style of each format, made up for these tests.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import { DataError } from '../data/data-error.ts';
import { temporaryFiles } from '../data/fixtures/temporary-files.ts';
import { openRows } from '../data/open-rows.ts';
import type { RowKind } from '../data/rows.ts';
import { type ConversionOptions, convertRows } from './convert-rows.ts';
import type { Target } from './target-names.ts';

const { write, folder } = temporaryFiles();

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const jsonl = (rows: readonly unknown[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

type Given = Partial<Omit<ConversionOptions, 'files' | 'output'>> & { name?: string };

const optionsFor = (text: string, { name = 'in.jsonl', ...given }: Given): ConversionOptions => ({
  files: [write(name, text)],
  output: join(folder, 'out.jsonl'),
  ...{ from: 'auto', to: null, pairing: 'best_worst', seed: 42, score: null },
  ...{ columns: null, wrapChat: false, keep: null, drop: null, system: null },
  ...{ onBadRow: 'fail', overwrite: true },
  ...given,
});

async function converted(rows: readonly unknown[] | string, given: Given = {}) {
  const options = optionsFor(typeof rows === 'string' ? rows : jsonl(rows), given);
  const summary = await convertRows(options);
  const lines = readFileSync(options.output, 'utf8').trimEnd().split('\n');
  return { summary, written: lines.map((line) => JSON.parse(line)), output: options.output };
}

async function errorOf(rows: readonly unknown[] | string, given: Given = {}): Promise<Error> {
  const options = optionsFor(typeof rows === 'string' ? rows : jsonl(rows), given);
  const error = await convertRows(options).then(
    () => expect.fail('nothing was thrown'),
    (thrown: Error) => thrown,
  );
  return error;
}

const kindOf: Record<Target, RowKind> = {
  sft: 'supervised',
  pairs: 'preference',
  rankings: 'ranking',
  kto: 'unpaired',
  prompts: 'prompt',
};

const alpacaRow = { instruction: 'Translate.', input: 'Dog', output: 'Chien', id: 7 };
const shareGptRow = {
  conversations: [
    { from: 'human', value: 'Weather in Oslo?' },
    { from: 'function_call', value: '{"name": "weather", "arguments": {"city": "Oslo"}}' },
    { from: 'observation', value: '{"degrees": 3}' },
    { from: 'gpt', value: 'Three degrees.', weight: 1 },
  ],
  system: 'Use tools.',
  tools: '[{"name": "weather", "description": "d", "parameters": {"type": "object"}}]',
};
const hhRow = {
  chosen:
    '\n\nHuman: What is Human: in a text?\n\nAssistant: A label.\n\nHuman: Thanks\n\nAssistant: Sure.',
  rejected:
    '\n\nHuman: What is Human: in a text?\n\nAssistant: A label.\n\nHuman: Thanks\n\nAssistant: No.',
};
const ultraRow = {
  instruction: 'Say hi',
  source: 'own',
  completions: [
    { model: 'a', response: 'Hi', overall_score: 8, annotations: { helpfulness: { Rating: '5' } } },
    {
      model: 'b',
      response: 'No',
      overall_score: 10,
      annotations: { helpfulness: { Rating: '1' } },
    },
    { model: 'c', response: 'Yo', overall_score: 5, annotations: { helpfulness: { Rating: '3' } } },
  ],
};
const binarizedRow = {
  prompt: 'Say hi',
  prompt_id: 'x',
  chosen: [user('Say hi'), assistant('Hi')],
  rejected: [user('Say hi'), assistant('No')],
  messages: [user('Say hi'), assistant('Hi')],
  score_chosen: 8,
  score_rejected: 2,
};
const helpSteerRow = (prompt: string, response: string, helpfulness: number) => ({
  ...{ prompt, response, helpfulness },
  ...{ correctness: 5 - helpfulness, coherence: 4, complexity: 1, verbosity: 1 },
});
const helpSteer3Row = (overall_preference: number) => ({
  domain: 'general',
  context: [user('Hi')],
  ...{ response1: 'One', response2: 'Two', overall_preference },
  individual_preference: [{ score: overall_preference, reasoning: 'because' }],
});
const openAiRow = {
  messages: [
    user('Weather?'),
    { role: 'assistant', function_call: { name: 'f', arguments: '{}' } },
  ],
  functions: [{ name: 'f', description: 'd', parameters: {} }],
  parallel_tool_calls: false,
};
const openAiPairRow = {
  input: { messages: [user('u')], tools: [], parallel_tool_calls: true },
  preferred_output: [assistant('good')],
  non_preferred_output: [assistant('bad')],
};

describe('each format is recognised by its columns', () => {
  test.each<[string, readonly unknown[]]>([
    ['alpaca', [alpacaRow]],
    ['dolly', [{ instruction: 'a', context: '', response: 'b', category: 'qa' }]],
    ['sharegpt', [shareGptRow]],
    ['hh', [hhRow]],
    ['ultrafeedback', [ultraRow]],
    ['ultrafeedback-binarized', [binarizedRow]],
    ['helpsteer', [helpSteerRow('p', 'a', 4), helpSteerRow('p', 'b', 1)]],
    ['helpsteer3', [helpSteer3Row(2)]],
    ['openai', [openAiRow]],
    ['openai-preference', [openAiPairRow]],
    ['keel', [{ prompt: 'p', chosen: 'a', rejected: 'b' }]],
  ])('%s', async (name, rows) => {
    const { summary } = await converted(rows);
    expect(summary).toMatchObject({ format: name, read: rows.length, written: 1, badRows: 0 });
    // The same with its name.
    expect((await converted(rows, { from: name })).written).toEqual(
      (await converted(rows)).written,
    );
  });

  test('rows of two formats are an error that names both', async () => {
    const error = await errorOf([{ ...alpacaRow, ...shareGptRow }]);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/in\.jsonl:1.*alpaca.*sharegpt.*--from alpaca.*--from sharegpt/s);
  });

  test('unknown columns are an error that names them', async () => {
    const error = await errorOf([{ frage: 'a', antwort: 'b' }]);
    expect(error.message).toMatch(/in\.jsonl:1.*frage, antwort.*--columns/s);
  });
});

test('alpaca: input follows the instruction; system and history come before it', async () => {
  const { written, summary } = await converted([
    alpacaRow,
    { ...alpacaRow, input: '', system: 'Be brief.', history: [['Hi', 'Hello']], text: 'whole' },
  ]);
  expect(written).toEqual([
    { messages: [user('Translate.\nDog'), assistant('Chien')], id: 7 },
    {
      messages: [
        { role: 'system', content: 'Be brief.' },
        ...[user('Hi'), assistant('Hello'), user('Translate.'), assistant('Chien')],
      ],
      id: 7,
    },
  ]);
  expect(summary.dropped).toMatchObject([{ column: 'text', rows: 1 }]);
});

test('alpaca: chosen and rejected are pairs, and kto_tag is a label', async () => {
  const { output: _, ...asked } = alpacaRow;
  const pairs = await converted([{ ...asked, chosen: 'a', rejected: 'b' }]);
  expect(pairs.written).toEqual([
    {
      prompt: [user('Translate.\nDog')],
      chosen: [assistant('a')],
      rejected: [assistant('b')],
      id: 7,
    },
  ]);
  const [thumb] = (await converted([{ ...alpacaRow, kto_tag: false }])).written;
  expect(thumb).toMatchObject({ completion: [assistant('Chien')], label: false });
});

test('sharegpt: roles, calls, tools and the system message', async () => {
  const [row] = (await converted([shareGptRow])).written;
  expect(row.messages.map(({ role }: { role: string }) => role)).toEqual([
    ...['system', 'user', 'assistant', 'tool', 'assistant'],
  ]);
  const { function: called } = row.messages[2].tool_calls[0];
  expect(called).toEqual({ name: 'weather', arguments: { city: 'Oslo' } });
  expect(row.messages[4]).toEqual({ ...assistant('Three degrees.'), weight: 1 });
  expect(row.tools).toEqual([
    {
      type: 'function',
      function: { name: 'weather', description: 'd', parameters: { type: 'object' } },
    },
  ]);
});

test('sharegpt: one turn as chosen and as rejected is a pair', async () => {
  const row = {
    conversations: [{ from: 'human', value: 'Hi' }],
    chosen: { from: 'gpt', value: 'Hello' },
    rejected: { from: 'gpt', value: 'What' },
  };
  expect((await converted([row])).written).toEqual([
    { prompt: [user('Hi')], chosen: [assistant('Hello')], rejected: [assistant('What')] },
  ]);
});

test('hh: turns start after a blank line only, and the shared turns are the prompt', async () => {
  expect((await converted([hhRow])).written).toEqual([
    {
      prompt: [user('What is Human: in a text?'), assistant('A label.'), user('Thanks')],
      chosen: [assistant('Sure.')],
      rejected: [assistant('No.')],
    },
  ]);
});

test('ultrafeedback: the mean rating orders answers, or the score that is named', async () => {
  const byRating = await converted([ultraRow]);
  expect(byRating.written).toMatchObject([
    { completions: [[assistant('Hi')], [assistant('No')], [assistant('Yo')]], scores: [5, 1, 3] },
  ]);
  expect(byRating.written[0]).toMatchObject({ source: 'own', models: ['a', 'b', 'c'] });
  expect(byRating.summary.dropped.map(({ column }) => column)).toEqual([
    ...['completions.overall_score', 'completions.annotations'],
  ]);
  const overall = await converted([ultraRow], { score: 'overall_score', to: 'pairs' });
  expect(overall.written).toMatchObject([
    { chosen: [assistant('No')], rejected: [assistant('Yo')], score_chosen: 10, score_rejected: 5 },
  ]);
});

test('a ranking as pairs: a worse answer at random depends on the seed only', async () => {
  const rows = Array.from({ length: 40 }, (_, at) => ({ ...ultraRow, instruction: `Say ${at}` }));
  const how = { to: 'pairs', pairing: 'best_random' } as const;
  const [first, again, other] = [
    (await converted(rows, { ...how, seed: 1 })).written,
    (await converted(rows, { ...how, seed: 1 })).written,
    (await converted(rows, { ...how, seed: 2 })).written,
  ];
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
  for (const { chosen } of first) expect(chosen).toEqual([assistant('Hi')]);
  const worse = first.map(({ rejected }) => rejected[0].content);
  expect(new Set(worse)).toEqual(new Set(['No', 'Yo']));
  expect((await converted([ultraRow], { to: 'pairs', pairing: 'all' })).written).toHaveLength(3);
});

test('ultrafeedback-binarized: the prompt is the shared beginning', async () => {
  const { written, summary } = await converted([binarizedRow]);
  expect(written).toEqual([
    {
      ...{ prompt: [user('Say hi')], chosen: [assistant('Hi')], rejected: [assistant('No')] },
      ...{ score_chosen: 8, score_rejected: 2, prompt_id: 'x' },
    },
  ]);
  expect(summary.dropped).toMatchObject([{ column: 'messages', rows: 1 }]);
});

test('helpsteer: consecutive answers to a prompt are compared; ties and single ones are counted', async () => {
  const rows = [
    ...[helpSteerRow('Q1\n<extra_id_1>Assistant\nA1\n<extra_id_1>User\nQ2', 'a', 1)],
    ...[helpSteerRow('Q1\n<extra_id_1>Assistant\nA1\n<extra_id_1>User\nQ2', 'b', 4)],
    helpSteerRow('alone', 'a', 4),
    ...[helpSteerRow('tie', 'a', 3), helpSteerRow('tie', 'b', 3)],
  ];
  const { written, summary } = await converted(rows, { to: 'pairs' });
  expect(written).toMatchObject([
    {
      prompt: [user('Q1'), assistant('A1'), user('Q2')],
      chosen: [assistant('b')],
      rejected: [assistant('a')],
      score_chosen: 4,
      score_rejected: 1,
    },
  ]);
  expect(summary).toMatchObject({ read: 5, written: 1 });
  expect(Object.values(summary.skipped)).toEqual([1, 1]);
  expect(summary.dropped.map(({ column }) => column)).toContain('correctness');
  const other = await converted(rows.slice(0, 2), { to: 'pairs', score: 'correctness' });
  expect(other.written).toMatchObject([{ chosen: [assistant('a')], score_chosen: 4 }]);
});

test('verdicts that the target has no place for are counted as dropped', async () => {
  const keel = { from: 'keel' };
  const names = async (row: object, to: 'sft' | 'prompts') =>
    (await converted([row], { ...keel, to })).summary.dropped.map(({ column }) => column);
  const scored = { prompt: 'q', completions: ['a', 'b'], scores: [1, 2] };
  const { scores: _, ...ranked } = { ...scored, ranking: [2, 1] };
  const thumb = { prompt: 'q', completion: 'a', label: true, label_probability: 0.9 };
  for (const to of ['sft', 'prompts'] as const) {
    expect(await names(scored, to)).toContain('scores');
    expect(await names(ranked, to)).toContain('ranking');
  }
  expect(await names(thumb, 'prompts')).toEqual(['completion', 'label', 'label_probability']);
});

test('helpsteer: every answer to a bad prompt is counted as a bad row', async () => {
  const bad = [4, 3, 1].map((score) => helpSteerRow('<extra_id_9>', String(score), score));
  const good = [4, 1].map((score) => helpSteerRow('Q', String(score), score));
  const { summary } = await converted([...bad, ...good], { onBadRow: 'skip' });
  expect(summary).toMatchObject({ read: 5, written: 1, badRows: 3 });
});

test('helpsteer3: the sign marks the better answer, and the size is the margin', async () => {
  const { written, summary } = await converted([-3, 1, 0].map(helpSteer3Row));
  expect(written).toEqual([
    {
      ...{ prompt: [user('Hi')], chosen: [assistant('One')], rejected: [assistant('Two')] },
      ...{ margin: 3, domain: 'general' },
    },
    {
      ...{ prompt: [user('Hi')], chosen: [assistant('Two')], rejected: [assistant('One')] },
      ...{ margin: 1, domain: 'general' },
    },
  ]);
  expect(Object.values(summary.skipped)).toEqual([1]);
  expect(summary.dropped).toMatchObject([{ column: 'individual_preference', rows: 2 }]);
});

test('openai: a tool that is listed in the old and in the new field is one tool', async () => {
  const [f, g] = ['f', 'g'].map((name) => ({ type: 'function', function: { name } }));
  const listed = { tools: [f, g], functions: [f!.function] };
  const { written } = await converted([{ ...openAiRow, ...listed }]);
  expect(written[0].tools).toEqual([f, g]);
});

test('openai: the deprecated form of calls, and settings of a request', async () => {
  const { written, summary } = await converted([openAiRow]);
  expect(written[0].messages[1]).toEqual({
    role: 'assistant',
    content: null,
    tool_calls: [{ type: 'function', function: { name: 'f', arguments: {} } }],
  });
  expect(written[0].tools).toMatchObject([{ type: 'function', function: { name: 'f' } }]);
  expect(written[0]).not.toHaveProperty('functions');
  expect(summary.dropped).toMatchObject([{ column: 'parallel_tool_calls', rows: 1 }]);
});

test('numbers keep their digits, and other columns are preserved', async () => {
  const text =
    '{"prompt": "p", "chosen": "a", "rejected": "b", "id": 12345678901234567890, "x": 2.0}\n';
  const { output } = await converted(text);
  const line = readFileSync(output, 'utf8');
  expect(line).toContain('"id":12345678901234567890');
  expect(line).toContain('"x":2.0');
});

test('CSV with its own column names', async () => {
  const text = 'question,good,bad\nWhat?,yes,no\n"a, b",c,d\n';
  const columns = ['prompt=question', 'chosen=good', 'rejected=bad'];
  const { written, summary } = await converted(text, { name: 'in.csv', columns });
  expect(written).toEqual([
    { prompt: 'What?', chosen: 'yes', rejected: 'no' },
    { prompt: 'a, b', chosen: 'c', rejected: 'd' },
  ]);
  expect(summary).toMatchObject({ format: 'keel', plain: 2 });
});

describe('other kinds of rows', () => {
  const cases: [string, readonly unknown[], Target, number][] = [
    ['pairs', [hhRow], 'sft', 1],
    ['pairs', [hhRow], 'kto', 2],
    ['pairs', [hhRow], 'rankings', 1],
    ['pairs', [hhRow], 'prompts', 1],
    ['rankings', [ultraRow], 'sft', 1],
    ['rankings', [ultraRow], 'kto', 2],
    ['rankings', [ultraRow], 'pairs', 1],
    ['rankings', [ultraRow], 'prompts', 1],
    ['chats', [shareGptRow], 'prompts', 1],
    ['labelled answers', [{ ...alpacaRow, kto_tag: true }], 'sft', 1],
  ];
  test.each(cases)('%s of %j as %s', async (_, rows, to, count) => {
    const { written, output } = await converted(rows, { to });
    expect(written).toHaveLength(count);
    await using source = await openRows(output, { kind: kindOf[to] });
    expect(source.length).toBe(count);
  });

  test('an answer labelled as bad is not imitated', async () => {
    const rows = [true, false].map((tag) => ({ ...alpacaRow, kto_tag: tag }));
    const { summary } = await converted(rows, { to: 'sft' });
    expect(summary).toMatchObject({ read: 2, written: 1 });
    expect(Object.values(summary.skipped)).toEqual([1]);
  });

  test('a kind that the rows do not hold is refused', async () => {
    const error = await errorOf([alpacaRow], { to: 'pairs' });
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/--to pairs.*in\.jsonl.*sft, prompts/s);
  });
});

describe('malformed rows', () => {
  const good = { alpaca: alpacaRow, sharegpt: shareGptRow, hh: hhRow, openai: openAiRow };
  test.each<[keyof typeof good, unknown, RegExp]>([
    ['alpaca', { instruction: '', output: 'b' }, /in\.jsonl:2.*"instruction"/s],
    ['alpaca', { instruction: 'a', output: 3 }, /in\.jsonl:2.*"output".*3/s],
    ['alpaca', { ...alpacaRow, history: [['only']] }, /in\.jsonl:2.*"history\[0\]"/s],
    ['sharegpt', { conversations: [] }, /in\.jsonl:2.*"conversations".*empty list/s],
    ['sharegpt', { conversations: [{ from: 'human' }] }, /in\.jsonl:2.*conversations\[0\]/s],
    [
      'sharegpt',
      {
        conversations: [
          { from: 'human', value: 'a' },
          { from: 'function_call', value: 'no' },
        ],
      },
      /in\.jsonl:2.*conversations\[1\]/s,
    ],
    ['hh', { chosen: 'no turns', rejected: hhRow.rejected }, /in\.jsonl:2.*"chosen".*no turns/s],
    ['hh', { chosen: hhRow.chosen, rejected: hhRow.chosen }, /in\.jsonl:2.*"rejected"/s],
    ['openai', { messages: [user('only a question')] }, /in\.jsonl:2.*"messages"/s],
    ['openai', ['a list'], /in\.jsonl:2.*a list/s],
  ])('of %s: %j', async (format, bad, message) => {
    const rows = [good[format], bad, good[format]];
    const error = await errorOf(rows);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(message);
    const { summary } = await converted(rows, { onBadRow: 'skip' });
    expect(summary).toMatchObject({ read: 3, written: 2, badRows: 1 });
    expect(summary.firstBadRow).toMatch(message);
  });

  test('a line that is not JSON', async () => {
    const text = `${jsonl([alpacaRow])}{"instruction": \n${jsonl([alpacaRow])}`;
    expect((await errorOf(text)).message).toMatch(/in\.jsonl:2/);
    const { summary } = await converted(text, { onBadRow: 'skip' });
    expect(summary).toMatchObject({ written: 2, badRows: 1 });
  });

  test('no remaining row', async () => {
    const error = await errorOf([helpSteerRow('alone', 'a', 1)]);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/in\.jsonl.*1 skipped/s);
  });
});

describe('the output', () => {
  test('is not replaced by default, and an error leaves no file', async () => {
    const { output } = await converted([alpacaRow]);
    const before = readFileSync(output, 'utf8');
    const refused = await errorOf([hhRow], { overwrite: false });
    expect(refused).toBeInstanceOf(ConfigError);
    expect(refused.message).toContain(output);
    await errorOf([alpacaRow, { instruction: '' }]);
    expect(readFileSync(output, 'utf8')).toBe(before);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('must be a name that is read as JSON Lines', async () => {
    const options = { ...optionsFor(jsonl([alpacaRow]), {}), output: join(folder, 'out.csv') };
    await expect(convertRows(options)).rejects.toThrow(/--output.*\.jsonl.*out\.csv/s);
  });

  test('is not written if the work is stopped', async () => {
    const options = optionsFor(jsonl([alpacaRow]), { overwrite: true });
    const output = join(folder, 'stopped.jsonl');
    const signal = AbortSignal.abort();
    await expect(convertRows({ ...options, output }, { signal })).rejects.toThrow();
    expect(existsSync(output)).toBe(false);
  });
});

describe('keel data map', () => {
  const plain = { prompt: 'What?', chosen: 'yes', rejected: 'no', id: 1, note: 'x' };
  const map = { from: 'keel' } as const;

  test('makes chats, adds a system message and removes columns', async () => {
    const how = { ...map, wrapChat: true, system: 'Be brief.', drop: ['note'] };
    const { written } = await converted([plain], how);
    expect(written).toEqual([
      {
        prompt: [{ role: 'system', content: 'Be brief.' }, user('What?')],
        ...{ chosen: [assistant('yes')], rejected: [assistant('no')], id: 1 },
      },
    ]);
    expect((await converted([plain], { ...map, keep: ['id'] })).written[0]).not.toHaveProperty(
      'note',
    );
  });

  test('a chat keeps its own system message', async () => {
    const messages = [{ role: 'system', content: 'Mine.' }, user('a'), assistant('b')];
    const { written } = await converted([{ messages }], { ...map, system: 'Other.' });
    expect(written).toEqual([{ messages }]);
  });

  test('a system message needs a chat', async () => {
    const error = await errorOf([plain], { ...map, system: 'Be brief.' });
    expect(error.message).toMatch(/in\.jsonl:1.*"prompt".*--wrap-chat/s);
  });

  test('a column that no row has is an error', async () => {
    const error = await errorOf([plain], { ...map, drop: ['nots'] });
    expect(error.message).toMatch(/"nots".*--drop.*"note"/s);
  });
});

describe('columns with the name of a field of rows', () => {
  const chat = [user('q'), assistant('a')];
  const keel = { from: 'keel' } as const;
  const pair = { prompt: 'q', chosen: 'good', rejected: 'bad' };
  const ranked = { prompt: 'q', completions: ['a', 'b'], scores: [1, 2] };
  const labelled = { prompt: 'q', completion: 'a', label: true };
  const alpacaPair = { instruction: 'Q', input: '', chosen: 'c', rejected: 'r' };
  const [good, bad] = [assistant('c'), assistant('r')];
  const verdict = { prompt: 'p', response_1: 'A', response_2: 'B', preference_strength: 2 };
  test.each<[string, object, Given, string[], unknown[]]>([
    [
      'a prompt',
      { prompt: 'q', messages: chat },
      { to: 'prompts' },
      ['prompt', 'messages'],
      [{ prompt: [user('q')] }],
    ],
    [
      'a prompt',
      { instruction: 'Q', output: 'a', prompt: '### Q' },
      {},
      ['prompt'],
      [{ messages: [user('Q'), assistant('a')] }],
    ],
    [
      'a prompt',
      { ...alpacaPair, prompt: '### Q' },
      {},
      ['prompt'],
      [{ prompt: [user('Q')], chosen: [good], rejected: [bad] }],
    ],
    [
      'a prompt',
      { ...hhRow, prompt: 'x' },
      { to: 'prompts' },
      ['prompt', 'chosen', 'rejected'],
      [{ prompt: expect.any(Array) }],
    ],
    [
      'a label',
      { ...pair, label: 1 },
      { ...keel, to: 'kto' },
      ['label'],
      [
        { prompt: 'q', completion: 'good', label: true },
        { prompt: 'q', completion: 'bad', label: false },
      ],
    ],
    ['a label', { ...ranked, label: 0 }, keel, ['label'], [ranked]],
    [
      'a label',
      {
        conversations: [
          { from: 'human', value: 'q' },
          { from: 'gpt', value: 'a' },
        ],
        kto_tag: false,
        label: true,
      },
      {},
      ['label'],
      [{ prompt: [user('q')], completion: [assistant('a')], label: false }],
    ],
    [
      'messages',
      { ...pair, messages: chat },
      { ...keel, to: 'sft' },
      ['messages', 'rejected'],
      [{ prompt: 'q', completion: 'good' }],
    ],
    [
      'messages',
      { ...labelled, messages: chat },
      { ...keel, to: 'sft' },
      ['messages'],
      [{ prompt: 'q', completion: 'a' }],
    ],
    [
      'a margin',
      { ...verdict, margin: 9 },
      {},
      ['margin'],
      [{ prompt: [user('p')], chosen: [assistant('B')], rejected: [assistant('A')], margin: 2 }],
    ],
  ])('%s of %j is counted as not written', async (_, row, given, dropped, rows) => {
    const { written, summary } = await converted([row], given);
    expect(written).toEqual(rows);
    expect(summary.dropped.map(({ column }) => column).sort()).toEqual(dropped.toSorted());
  });

  test('next to a prompt alone they are for rewards', async () => {
    const row = { prompt: 'What is 6 times 7?', label: '42' };
    expect(await converted([row], keel)).toMatchObject({
      written: [row],
      summary: { dropped: [] },
    });
  });

  test('a chat labelled as bad is still refused', async () => {
    const error = await errorOf([{ messages: chat, label: false }], keel);
    expect(error.message).toMatch(/"label".*labelled as bad/s);
  });

  test('a pair whose question is in another column is still refused', async () => {
    const error = await errorOf([{ messages: chat, chosen: 'a b', rejected: 'a c' }], keel);
    expect(error.message).toMatch(/"messages".*Rename/s);
  });
});

test('arguments of calls that are text stay as they are written', async () => {
  const called = { name: 'f', arguments: '{"b":1,  "a":2.0}' };
  const calling = { role: 'assistant', content: null, tool_calls: [{ function: called }] };
  const prompt = [user('q')];
  const pair = { prompt, chosen: [calling], rejected: [assistant('no')] };
  const whole = { chosen: [...prompt, calling], rejected: [...prompt, assistant('no')] };
  const ranked = { prompt, completions: [[calling], [assistant('no')]], ranking: [1, 2] };
  expect((await converted([whole], { from: 'keel' })).written).toEqual([pair]);
  expect((await converted([ranked], { from: 'keel', to: 'pairs' })).written).toEqual([pair]);
  const best = { prompt, completion: [calling] };
  expect((await converted([ranked], { from: 'keel', to: 'sft' })).written).toEqual([best]);
});

describe('what a format must preserve', () => {
  const turns = [
    { from: 'human', value: 'q' },
    { from: 'gpt', value: 'a' },
  ];
  const asked = { instruction: 'Who?', input: '', output: 'Bob' };
  const dollyRow = { instruction: 'Who?', context: 'Bob did.', response: 'Bob' };

  test.each([21, 21n, true])('the number or truth %s is text', async (input) => {
    const text = `${JSON.stringify({ ...asked, input: '#' }).replace('"#"', String(input))}\n`;
    const { written } = await converted(text);
    expect(written).toEqual([{ messages: [user(`Who?\n${input}`), assistant('Bob')] }]);
  });

  test.each<[string, object, RegExp]>([
    ['input', { ...asked, input: ['b', 'a'] }, /expected text.*a list/],
    ['system', { ...asked, system: { text: 'Be X' } }, /expected text.*an object/],
    ['context', { ...dollyRow, context: ['Bob did.'] }, /expected text.*a list/],
    ['system', { conversations: turns, system: ['Be X'] }, /expected text.*a list/],
    [
      'system',
      { conversations: [{ from: 'system', value: 'Be B' }, ...turns], system: 'Be A' },
      /expected the same text.*"conversations".*Be A/,
    ],
    ['rejected', { conversations: turns, chosen: turns[1] }, /next to "chosen".*remove "chosen"/],
    ['rejected', { ...asked, chosen: 'c' }, /next to "chosen".*remove "chosen"/],
    [
      'tools',
      { body: { messages: [user('q'), assistant('a')], tools: 'none of them' } },
      /expected a list of tools.*none of them/,
    ],
  ])('an error names "%s" of %j', async (field, row, message) => {
    const error = await errorOf([row]);
    expect(error).toMatchObject({ field, line: 1 });
    expect(error.message).toMatch(message);
  });

  test('the same system message twice is one', async () => {
    const conversations = [{ from: 'system', value: 'Be A' }, ...turns];
    const { written } = await converted([{ conversations, system: 'Be A' }]);
    const system = { role: 'system', content: 'Be A' };
    expect(written).toEqual([{ messages: [system, user('q'), assistant('a')] }]);
  });

  test('columns that a pair or a context replaces are counted', async () => {
    const names = async (row: object) =>
      (await converted([row])).summary.dropped.map(({ column }) => column);
    expect(await names({ ...asked, chosen: 'c', rejected: 'r' })).toEqual(['output']);
    const pair = { chosen: { from: 'gpt', value: 'c' }, rejected: { from: 'gpt', value: 'r' } };
    const conversations = turns.slice(0, 1);
    expect(await names({ conversations, ...pair, kto_tag: true })).toEqual(['kto_tag']);
    expect(await names({ ...dollyRow, input: 'other' })).toEqual(['input']);
  });

  test('one tool is a list of one', async () => {
    const tools = { type: 'function', function: { name: 'f', parameters: {} } };
    const messages = [user('q'), assistant('a')];
    const { written } = await converted([{ body: { messages, tools } }]);
    expect(written).toEqual([{ messages, tools: [tools] }]);
  });

  test('a refusal is the text if the content is empty', async () => {
    const refused = { role: 'assistant', content: '', refusal: 'I can not.' };
    const messages = [user('q1'), refused, user('q2'), assistant('fine')];
    const { written } = await converted([{ messages }]);
    expect(written[0].messages[1]).toEqual(assistant('I can not.'));
  });
});

describe('votes of people', () => {
  const voted = (labels: unknown, own: object = {}) => ({
    ...{ prompt: 'Which colour?', response_1: 'Red.', response_2: 'Blue.', labels },
    ...own,
  });
  const one = async (labels: unknown, own: object = {}) =>
    (await converted([voted(labels, own)])).written[0];

  test.each([
    [{ a: 1, b: 1, c: 1 }, 'Red.', 1, { chosen: 3, rejected: 0, ties: 0 }],
    [{ a: 1, b: 2, c: 2 }, 'Blue.', 2 / 3, { chosen: 2, rejected: 1, ties: 0 }],
    [{ a: 1, b: 0, c: 2, d: 1 }, 'Red.', 2.5 / 4, { chosen: 2, rejected: 1, ties: 1 }],
    [{ a: 0, b: 0 }, 'Red.', 0.5, { chosen: 0, rejected: 0, ties: 2 }],
    [{ a: 1, b: 2 }, 'Red.', 0.5, { chosen: 1, rejected: 1, ties: 0 }],
    [[2, 2, 'tie', null], 'Blue.', 2.5 / 3, { chosen: 2, rejected: 0, ties: 1 }],
    ['{"a": "2", "b": 2}', 'Blue.', 1, { chosen: 2, rejected: 0, ties: 0 }],
  ])('%j: %s with the probability %d', async (labels, chosen, probability, votes) => {
    const row = await one(labels, { id: 7 });
    expect(row).toMatchObject({ label_probability: probability, votes, id: 7 });
    expect(row.prompt).toEqual([user('Which colour?')]);
    expect(row.chosen).toEqual([assistant(chosen)]);
    expect(row.rejected).toEqual([assistant(chosen === 'Red.' ? 'Blue.' : 'Red.')]);
    expect(Object.keys(row)).not.toContain('labels');
  });

  test('the models follow their answers', async () => {
    const models = { model_1: 'first', model_2: 'second' };
    expect(await one({ a: 2 }, models)).toMatchObject({
      model_chosen: 'second',
      model_rejected: 'first',
    });
    expect(await one([1], models)).toMatchObject({ model_chosen: 'first' });
  });

  test('a vote that is none is an error with its voter; no vote is counted', async () => {
    const error = await errorOf([voted({ a: 1, b: 3 })]);
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject({ field: 'labels.b', line: 1 });
    expect(await errorOf([voted([1, 0.5])])).toMatchObject({ field: 'labels[1]' });
    const { summary } = await converted([voted({ a: null }), voted([1])]);
    expect(summary).toMatchObject({ format: 'human-votes', read: 2, written: 1 });
    expect(Object.values(summary.skipped)).toEqual([1]);
  });
});

describe('probabilities of labels', () => {
  const softPair = (p: unknown, own: object = {}) => ({
    ...{ prompt: 'q', chosen: 'good', rejected: 'bad', label_probability: p },
    ...own,
  });
  const to = async (target: Target, ...rows: object[]) => {
    const { summary, written } = await converted(rows, { to: target });
    return { summary, written };
  };

  test('pairs keep them, also in formats of other tools', async () => {
    expect((await to('pairs', softPair(0.7))).written).toEqual([softPair(0.7)]);
    const chats = {
      chosen: [user('q'), assistant('good')],
      rejected: [user('q'), assistant('bad')],
    };
    const found = await to('pairs', { ...chats, label_probability: 0.7 });
    expect(found.summary).toMatchObject({ format: 'ultrafeedback-binarized', dropped: [] });
    expect(found.written[0]).toMatchObject({ label_probability: 0.7 });
  });

  test('labelled answers: each is desirable with the probability that it is the better one', async () => {
    const { written, summary } = await to('kto', softPair(0.75), softPair(0.25), softPair(0.5));
    expect(
      written.map(({ completion, label, label_probability: p }) => [completion, label, p]),
    ).toEqual([
      ['good', true, 0.75],
      ['bad', false, 0.25],
      ['good', false, 0.25],
      ['bad', true, 0.75],
      ['good', true, 0.5],
      ['bad', false, 0.5],
    ]);
    expect(summary.dropped).toEqual([]);
  });

  test('other kinds have the more probable answer, and say what is not written', async () => {
    const rows = [softPair(0.75), softPair(0.25), softPair(0.5)];
    const sft = await to('sft', ...rows);
    expect(sft.written).toEqual([
      { prompt: 'q', completion: 'good' },
      { prompt: 'q', completion: 'bad' },
    ]);
    const rankings = await to('rankings', ...rows);
    expect(rankings.written.map(({ ranking }) => ranking)).toEqual([
      [1, 2],
      [2, 1],
    ]);
    for (const { summary } of [sft, rankings]) {
      expect(Object.values(summary.skipped)).toEqual([1]);
      expect(summary.dropped).toContainEqual(
        expect.objectContaining({ column: 'label_probability', rows: 2 }),
      );
    }
    const thumb = { prompt: 'q', completion: 'a', label: true, label_probability: 0.3 };
    const better = { ...thumb, completion: 'b', label_probability: 0.8 };
    expect((await to('kto', thumb)).written).toEqual([thumb]);
    expect((await to('sft', thumb, better)).written).toEqual([{ prompt: 'q', completion: 'b' }]);
  });

  test.each([
    'sft',
    'pairs',
    'kto',
    'rankings',
  ] as const)('a bad one is an error: %s', async (target) => {
    const error = await errorOf([softPair(1.5)], { to: target });
    expect(error).toMatchObject({ field: 'label_probability', line: 1 });
  });
});
