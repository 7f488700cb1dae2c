// From files of other tools to a trained model: keel data, --columns and --wrap-chat.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { tinyChat, train } from '../testing/short-runs.ts';

const lines = (rows: readonly unknown[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const short = ['--model', tinyChat, '--precision', 'fp32', '--batch-size', '2'];
const oneStep = [...short, '--max-steps', '1', '--json'];

const hhRows = ['red', 'blue', 'green', 'black'].map((colour) => ({
  chosen: `\n\nHuman: Which colour?\n\nAssistant: It is ${colour}.`,
  rejected: '\n\nHuman: Which colour?\n\nAssistant: I cannot tell.',
}));
const shareGptRows = ['red', 'blue'].map((colour) => ({
  conversations: [
    { from: 'human', value: 'Which colour?' },
    { from: 'gpt', value: `It is ${colour}.` },
  ],
}));
const ownRows = ['red', 'blue', 'green', 'black'].map((colour) => ({
  question: 'Which colour?',
  good: `It is ${colour}.`,
  bad: 'I cannot tell.',
}));
const own = ['--columns', 'prompt=question,chosen=good,rejected=bad'];

test.each([
  ['dpo', hhRows, 'hh'],
  ['sft', shareGptRows, 'sharegpt'],
])('converted rows are read by keel %s and keel tokens', async (verb, rows, format) => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.file('in.jsonl'), lines(rows));
  const output = folder.file('chats.jsonl');
  const converted = await keel([
    ...['data', 'convert', folder.file('in.jsonl'), '--output', output, '--json'],
  ]);
  expect(converted.code, converted.stderr).toBe(0);
  expect(jsonLines(converted.stdout)).toMatchObject([
    { format, read: rows.length, written: rows.length, badRows: 0, dropped: [] },
  ]);
  const shown = await keel([
    ...['tokens', '--model', tinyChat, '--data', output, '--for', verb, '--json'],
  ]);
  expect(shown.code, shown.stderr).toBe(0);
  const trained = await train(verb, folder, ['--data', output, ...oneStep]);
  expect(trained.code, trained.stderr).toBe(0);
  expect(trained.stderr).not.toContain('--wrap-chat');
});

test('own column names and wrapped rows train like the same rows as chats', async () => {
  using folder = new TemporaryFolder();
  const data = folder.file('own.jsonl');
  writeFileSync(data, lines(ownRows));
  const chats = folder.file('chats.jsonl');
  const mapped = await keel([...['data', 'map', data, ...own, '--wrap-chat'], '--output', chats]);
  expect(mapped.code, mapped.stderr).toBe(0);
  using other = new TemporaryFolder();
  const direct = await train('dpo', folder, ['--data', data, ...own, '--wrap-chat', ...oneStep]);
  const chat = await train('dpo', other, ['--data', chats, ...oneStep]);
  expect([direct.code, chat.code], direct.stderr + chat.stderr).toEqual([0, 0]);
  const lossOf = (stdout: string): unknown =>
    (jsonLines(stdout).find(({ type }) => type === 'step') as { loss?: unknown }).loss;
  expect(lossOf(direct.stdout)).toEqual(expect.any(Number));
  expect(lossOf(direct.stdout)).toBe(lossOf(chat.stdout));
  expect(parse(readFileSync(folder.file('run/config.yaml'), 'utf8'))).toMatchObject({
    columns: ['prompt=question', 'chosen=good', 'rejected=bad'],
    wrap_chat: true,
  });
});

test('plain rows with a chat template are reported, with the option that wraps them', async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.file('own.jsonl'), lines(ownRows));
  const run = ['--data', folder.file('own.jsonl'), ...own, ...oneStep];
  const { code, stderr } = await train('dpo', folder, run);
  expect(code, stderr).toBe(0);
  const notices = stderr.split('\n').filter((line) => line.includes('--wrap-chat'));
  expect(notices).toEqual([expect.stringMatching(/4 rows.*own\.jsonl/)]);
});

test('keel data split reports its parts', async () => {
  using folder = new TemporaryFolder();
  const rows = Array.from({ length: 20 }, (_, at) => ({ prompt: `Question ${at}` }));
  writeFileSync(folder.file('rows.jsonl'), lines(rows));
  const { code, stdout } = await keel([
    ...['data', 'split', folder.file('rows.jsonl'), '--output', folder.file('split')],
    ...['--held-out', '5', '--json'],
  ]);
  expect(code).toBe(0);
  expect(jsonLines(stdout)).toMatchObject([
    {
      parts: [
        { name: 'held-out', rows: 5, path: folder.file('split/held-out.jsonl') },
        { name: 'train', rows: 15, path: folder.file('split/train.jsonl') },
      ],
    },
  ]);
});

test.each([
  ['--held-out', '1.5', '--held-out'],
  ['--parts', 'train=0.9,test=0.2', '--parts'],
  ['--parts', 'train', '--parts'],
])('keel data split %s %s is refused', async (flag, value, named) => {
  const args = ['data', 'split', 'x.jsonl', '--output', 'y', flag, value];
  const { code, stderr } = await keel(args);
  expect(code).toBe(2);
  expect(stderr).toContain(named);
});

test('a name of the hub without hub: is suggested', async () => {
  const { code, stderr } = await keel(['tokens', '--data', 'owner/rows', '--model', tinyChat]);
  expect(code).toBe(1);
  expect(stderr).toContain('hub:owner/rows');
});
