import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import { temporaryFiles } from '../data/fixtures/temporary-files.ts';
import { type SplitOptions, splitRows } from './split-rows.ts';

const { write, folder } = temporaryFiles();

/** Three rows for each of 100 prompts: as a chat, as text in other case, and with a system message. */
const rows = Array.from({ length: 300 }, (_, at) => {
  const prompt = `Question ${at % 100}?`;
  const form = Math.floor(at / 100);
  if (form === 0) return { prompt: [{ role: 'user', content: prompt }], n: at };
  if (form === 1) return { prompt: `  ${prompt.toUpperCase()} `, n: at };
  const system = { role: 'system', content: 'Be brief.' };
  return { prompt: [system, { role: 'user', content: prompt }], n: at };
});
const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');

let folders = 0;
const optionsFor = (given: Partial<SplitOptions> = {}): SplitOptions => ({
  files: [write('rows.jsonl', text)],
  output: join(folder, `split-${++folders}`),
  parts: [
    { name: 'held-out', size: 0.1, unit: 'share' },
    { name: 'train', size: 1, unit: 'share' },
  ],
  ...{ by: 'prompt', seed: 42, columns: null, onBadRow: 'fail', overwrite: false },
  ...given,
});

const numbersIn = (path: string): number[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).n);

const split = async (given: Partial<SplitOptions> = {}) => {
  const options = optionsFor(given);
  const summary = await splitRows(options);
  const parts = Object.fromEntries(summary.parts.map(({ name, path }) => [name, numbersIn(path)]));
  return { summary, parts };
};

test('all rows of a prompt are in one part, in the order of the files', async () => {
  const { summary, parts } = await split();
  const { 'held-out': heldOut, train } = parts as Record<string, number[]>;
  expect(summary.parts).toMatchObject([
    { name: 'held-out', rows: 30, prompts: 10 },
    { name: 'train', rows: 270, prompts: 90 },
  ]);
  expect([...heldOut!, ...train!].toSorted((a, b) => a - b)).toEqual(rows.map(({ n }) => n));
  const prompts = new Set(train!.map((n) => n % 100));
  expect(heldOut!.filter((n) => prompts.has(n % 100))).toEqual([]);
  expect(train).toEqual(train!.toSorted((a, b) => a - b));
});

test('the same seed gives the same parts, and another seed gives others', async () => {
  const [first, again, other] = [await split(), await split(), await split({ seed: 1 })];
  expect(again.parts).toEqual(first.parts);
  expect(other.parts).not.toEqual(first.parts);
});

test('by row, a prompt may be on both sides', async () => {
  const { parts, summary } = await split({ by: 'row' });
  expect(summary.parts.map(({ rows: count }) => count)).toEqual([30, 270]);
  const prompts = new Set(parts.train!.map((n) => n % 100));
  expect(parts['held-out']!.some((n) => prompts.has(n % 100))).toBe(true);
});

test('several parts, by shares and by numbers of rows', async () => {
  const { summary } = await split({
    parts: [
      { name: 'train', size: 0.8, unit: 'share' },
      { name: 'dev', size: 30, unit: 'rows' },
      { name: 'test', size: 0.1, unit: 'share' },
    ],
  });
  expect(summary.parts.map(({ name, rows: count }) => [name, count])).toEqual([
    ['train', 240],
    ['dev', 30],
    ['test', 30],
  ]);
});

test('the beginning of names instead of a folder', async () => {
  const { summary } = await split({ output: join(folder, 'pairs.jsonl') });
  expect(summary.parts.map(({ path }) => path)).toEqual([
    join(folder, 'pairs-held-out.jsonl'),
    join(folder, 'pairs-train.jsonl'),
  ]);
});

test('a column of the file as the prompt; rows are written as they are', async () => {
  const own = rows.map(({ n }) => `${JSON.stringify({ frage: `${n % 100}`, n })}\n`).join('');
  const { summary } = await split({
    files: [write('own.jsonl', own)],
    columns: ['prompt=frage'],
  });
  expect(summary.parts.map(({ rows: count }) => count)).toEqual([30, 270]);
  expect(readFileSync(summary.parts[0]!.path, 'utf8')).toContain('"frage"');
});

describe('refused', () => {
  test('existing files', async () => {
    const options = optionsFor();
    const { parts } = await splitRows(options);
    await expect(splitRows(options)).rejects.toThrow(ConfigError);
    await expect(splitRows(options)).rejects.toThrow(parts[0]!.path);
    await expect(splitRows({ ...options, overwrite: true })).resolves.toMatchObject({ parts });
  });

  test('an empty part, before anything is written', async () => {
    const options = optionsFor({
      parts: [
        { name: 'held-out', size: 300, unit: 'rows' },
        { name: 'train', size: 1, unit: 'share' },
      ],
    });
    await expect(splitRows(options)).rejects.toThrow(/train.*100/s);
    expect(existsSync(options.output)).toBe(false);
  });

  test('plain answers without a prompt, whose beginning is not known to be one', async () => {
    const pair = (prompt?: string) => ({ prompt, chosen: 'A: It is', rejected: 'A: It was' });
    const fileOf = (row: object) => write('pairs.jsonl', `${JSON.stringify(row)}\n`.repeat(9));
    const files = [fileOf(pair())];
    await expect(splitRows(optionsFor({ files }))).rejects.toMatchObject({ field: 'chosen' });
    const whole = [{ name: 'all', size: 1, unit: 'share' as const }];
    const byRow = await splitRows(optionsFor({ files, by: 'row', parts: whole }));
    expect(byRow.parts).toMatchObject([{ rows: 9 }]);
    const asked = await splitRows(optionsFor({ files: [fileOf(pair('A'))], parts: whole }));
    expect(asked.parts).toMatchObject([{ rows: 9, prompts: 1 }]);
  });

  test('a row without a prompt, unless bad rows are skipped', async () => {
    const files = [write('bad.jsonl', `${text}{"question": "a"}\n`)];
    await expect(splitRows(optionsFor({ files }))).rejects.toThrow(/bad\.jsonl:301.*question/s);
    const { badRows, parts } = await splitRows(optionsFor({ files, onBadRow: 'skip' }));
    expect([badRows, parts.reduce((sum, part) => sum + part.rows, 0)]).toEqual([1, 300]);
  });
});
