import { execFileSync, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { dataErrorOf, fixture, temporaryFiles } from './fixtures/temporary-files.ts';
import { openRows } from './open-rows.ts';

const { folder, write } = temporaryFiles();
const bundled = join(import.meta.dirname, '../../../../examples/data/concise-train.jsonl');
const line = (text: unknown) => `${JSON.stringify({ text })}\n`;
const texts = async (spec: string | string[]) => {
  await using source = await openRows(spec, { kind: 'text' });
  const found: string[] = [];
  for await (const row of source.iterate()) found.push(row.text);
  return found;
};

test.skipIf(process.platform === 'win32')(
  'pipes and devices are rejected before they are opened',
  async () => {
    const pipe = join(folder, 'pipe.jsonl');
    execFileSync('mkfifo', [pipe]);
    symlinkSync('/dev/full', join(folder, 'device.jsonl'));
    const kinds = { 'pipe.jsonl': 'a named pipe', 'device.jsonl': 'a device', '*.jsonl': 'a ' };
    for (const [name, found] of Object.entries(kinds)) {
      const opening = openRows(join(folder, name), { kind: 'text' });
      await expect(opening).rejects.toThrow(`expected a regular file, found ${found}`);
    }
    rmSync(pipe);
    rmSync(join(folder, 'device.jsonl'));
  },
);

test('a folder with rows for training and held-out rows is refused, but not its files', async () => {
  for (const [training, heldOut] of [
    ['train.jsonl', 'held-out.jsonl'],
    ['train-00000.jsonl', 'validation.jsonl'],
  ] as const) {
    const own = `split-${heldOut}`;
    mkdirSync(join(folder, own));
    const first = write(`${own}/${training}`, line('a'));
    write(`${own}/${heldOut}`, line('b'));
    const opening = openRows(join(folder, own), { kind: 'text' });
    await expect(opening).rejects.toThrow(new RegExp(`${training}.*${heldOut}`, 's'));
    expect(await texts(first)).toEqual(['a']);
  }
});

test('files, folders, globs and lists of them, in a fixed order, each file once', async () => {
  mkdirSync(join(folder, 'shards'));
  const first = write('shards/a.jsonl', line('a1') + line('a2'));
  write('shards/b.ndjson', line('b'));
  write('shards/c.jsonl.gz', gzipSync(line('c')));
  write('shards/d.csv', 'text\nd\n');
  write('shards/readme.md', 'no data');
  const all = ['a1', 'a2', 'b', 'c', 'd'];
  expect(await texts(join(folder, 'shards'))).toEqual(all);
  expect(await texts(join(folder, 'shards', '*'))).toEqual(all);
  expect(await texts(join(folder, '{shards,none}', '[a-b].*'))).toEqual(['a1', 'a2', 'b']);
  expect(await texts([join(folder, 'shards', 'd.csv'), first, first])).toEqual(['d', 'a1', 'a2']);
  await using source = await openRows(join(folder, 'shards'), { kind: 'text' });
  expect((await source.readMany([4, 1, 2, 1])).map((row) => row.text)).toEqual([
    'd',
    'a2',
    'b',
    'a2',
  ]);
  const tail: string[] = [];
  for await (const row of source.iterate(2)) tail.push(row.text);
  expect(tail).toEqual(['b', 'c', 'd']);
  expect(source.place(2)).toEqual({ file: join(folder, 'shards', 'b.ndjson'), line: 1 });
  await expect(source.read(5)).rejects.toThrow(/row 5 .*0 to 4/);
  await expect(source.read(-1)).rejects.toThrow(RangeError);
});

test('specs that select nothing are named', async () => {
  const failure = async (spec: string) =>
    (await dataErrorOf(() => openRows(spec, { kind: 'text' }))).error.message;
  expect(await failure('missing.jsonl')).toMatch(/^missing\.jsonl: /);
  expect(await failure(join(folder, '*.parquet'))).toMatch(/\*\.parquet: .*\.parquet, \.jsonl/);
  expect(await failure(write('rows.txt', 'x'))).toContain(
    'expected files ending in .parquet, .jsonl',
  );
  mkdirSync(join(folder, 'bare'));
  expect(await failure(join(folder, 'bare'))).toMatch(/bare: .*\.parquet, \.jsonl/);
  expect(await failure(write('cut.jsonl.gz', gzipSync(line('a')).subarray(0, 12)))).toContain(
    'cut.jsonl.gz: invalid gzip data',
  );
});

test('skipped rows are counted, and the first thousand are listed', async () => {
  const bad = Array.from({ length: 1500 }, (_, i) => line(i)).join('');
  const path = write('mostly-bad.jsonl', `${line('good')}not json\n${bad}`);
  await using source = await openRows(path, { kind: 'text', onBadRow: 'skip' });
  expect([source.length, source.badRowCount, source.badRows.length]).toEqual([1, 1501, 1000]);
  expect(source.badRows[0]).toMatchObject({ file: path, line: 2 });
  const { text } = await dataErrorOf(() =>
    openRows(write('all-bad.jsonl', bad), { kind: 'text', onBadRow: 'skip' }),
  );
  expect(text).toMatch(/ 1500 .*all-bad\.jsonl:1: field "text"/);
});

test('the fingerprint depends on the content, not on the names', async () => {
  const fingerprint = async (spec: string | string[]) => {
    await using source = await openRows(spec, { kind: 'text' });
    return source.fingerprint();
  };
  const one = write('one.jsonl', line('x'));
  const same = write('same.jsonl', line('x'));
  const other = write('other.jsonl', line('y'));
  expect(await fingerprint(one)).toBe(createHash('sha256').update(line('x')).digest('hex'));
  expect(await fingerprint(same)).toBe(await fingerprint(one));
  expect(await fingerprint(other)).not.toBe(await fingerprint(one));
  expect(await fingerprint([one, other])).not.toBe(await fingerprint([other, one]));
  await using both = await openRows([one, other], { kind: 'text' });
  const hashes = await both.fileHashes();
  expect(hashes.map(({ name }) => name)).toEqual(both.files);
  expect(hashes.map(({ sha256 }) => sha256)).toEqual([
    await fingerprint(one),
    await fingerprint(other),
  ]);
});

test('rows are not held in memory: 30 MB are indexed and read in parts without blocking', async () => {
  const answer = 'words of an answer '.repeat(50);
  const rows = Array.from({ length: 15_000 }, (_, i) =>
    JSON.stringify({ prompt: `question ${i}`, chosen: `${i} ${answer}`, rejected: `no ${answer}` }),
  );
  const path = write('large.jsonl', rows.join('\n'));
  const bytes = Buffer.byteLength(rows.join('\n'));
  expect(bytes).toBeGreaterThan(28e6);
  let turns = 0;
  let counting = true;
  const turn = () => {
    turns++;
    if (counting) setImmediate(turn);
  };
  setImmediate(turn);
  const pieces: number[] = [];
  await using source = await openRows(path, {
    kind: 'preference',
    onProgress: ({ bytesDone, bytesTotal }) => {
      expect(bytesTotal).toBe(bytes);
      pieces.push(bytesDone);
    },
  });
  counting = false;
  expect(pieces.length).toBeGreaterThan(25);
  expect(pieces.at(-1)).toBe(bytes);
  expect(turns).toBeGreaterThanOrEqual(pieces.length / 2);
  expect(source.length).toBe(15_000);
  expect((await source.read(12_345)).chosen).toBe(`12345 ${answer}`);
  let walked = 0;
  for await (const row of source.iterate()) {
    if (row.prompt !== `question ${walked}`) expect.unreachable();
    walked++;
  }
  expect(walked).toBe(15_000);
});

test('a process whose heap could not hold 30 MB indexes and iterates over them', async () => {
  const answer = 'words of an answer '.repeat(50);
  const rows = Array.from({ length: 15_000 }, (_, i) =>
    JSON.stringify({ prompt: `question ${i}`, chosen: `${i} ${answer}`, rejected: `no ${answer}` }),
  );
  const path = write('heap.jsonl', rows.join('\n'));
  const reader = fork(fixture('walk-rows.ts'), [path], { execArgv: ['--max-old-space-size=24'] });
  const walked: unknown[] = [];
  reader.on('message', (message) => walked.push(message));
  const code = await new Promise((done) => reader.once('exit', done));
  expect({ code, walked }).toEqual({ code: 0, walked: [15_000] });
});

test('the bundled pairs', async () => {
  await using source = await openRows(bundled, { kind: 'preference' });
  expect(source.length).toBe(272);
  for (const row of await source.readMany([271, 0])) {
    expect(Array.isArray(row.prompt)).toBe(true);
    expect(row.chosen).not.toEqual(row.rejected);
    expect(Object.keys(row.extra)).toContain('kind');
  }
});

test('rows of labelled answers are prompts with more beside them, no preference rows', async () => {
  const row = { prompt: 'Why?', response_1: 'No.', response_2: 'Yes.', labels: [1, 2, 0] };
  const path = write('labels.jsonl', `${JSON.stringify(row)}\n`);
  await using source = await openRows(path, { kind: 'prompt' });
  expect((await source.read(0)).extra).toMatchObject({ response_1: 'No.', labels: [1, 2, 0] });
  const { text } = await dataErrorOf(() => openRows(path, { kind: 'preference' }));
  expect(text).toContain('labels.jsonl:1: field "chosen"');
  expect(text).toMatch(/"response_1".*"response_2"/);
});
