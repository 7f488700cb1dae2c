import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { dataErrorOf, fixture, temporaryFiles } from './fixtures/temporary-files.ts';
import { openRows } from './open-rows.ts';
import { readParquet } from './read-parquet.ts';

// The fixtures were written by pyarrow, in row groups of 4 (chats) and 3 (plain) of 10 rows.
const { write } = temporaryFiles();

test.each(['chat-snappy.parquet', 'chat-zstd.parquet'])('chats of %s', async (name) => {
  await using source = await openRows(fixture(name), { kind: 'preference' });
  expect(source.length).toBe(10);
  const rows = await source.readMany([9, 3, 0]);
  expect(rows.map((row) => row.chosen)).toEqual(
    [9, 3, 0].map((i) => [{ role: 'assistant', content: `Answer ${i} 🙂` }]),
  );
  expect(rows[1]).toEqual({
    prompt: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Question 3?', name: 'ann' },
    ],
    chosen: [{ role: 'assistant', content: 'Answer 3 🙂' }],
    rejected: [{ role: 'assistant', content: 'Well, answer 3…' }],
    score_chosen: 0.8,
    extra: { id: 3 },
  });
});

test('plain rows with labels, iterated from the middle', async () => {
  await using source = await openRows(fixture('plain-snappy.parquet'), { kind: 'unpaired' });
  const rows: unknown[] = [];
  for await (const row of source.iterate(7)) rows.push(row);
  expect(rows).toEqual([
    { prompt: 'Sum 7+1 =', completion: ' 7', label: false, extra: {} },
    { prompt: 'Sum 8+1 =', completion: ' 9', label: true, extra: {} },
    { prompt: 'Sum 9+1 =', completion: ' 9', label: false, extra: {} },
  ]);
});

test('64-bit ranks, gzip', async () => {
  await using source = await openRows(fixture('ranking-gzip.parquet'), { kind: 'ranking' });
  expect((await source.readMany([0, 1])).map((row) => row.ranks)).toEqual([
    [2, 1, 3],
    [1, 1],
  ]);
});

test('bytes that are not text and NaN are reported with their row, or skipped', async () => {
  const path = fixture('bad-rows.parquet');
  const { text } = await dataErrorOf(() => openRows(path, { kind: 'preference' }));
  expect(text).toContain('bad-rows.parquet, row 2: field "chosen": expected a string');
  expect(text).toContain('found 2 bytes that are not UTF-8 text');
  await using source = await openRows(path, { kind: 'preference', onBadRow: 'skip' });
  expect(source.badRows.map((bad) => bad.row)).toEqual([2, 3]);
  expect(source.badRows[1]?.message).toContain(
    'field "margin": expected a finite number, found NaN',
  );
  expect([source.place(0).row, source.place(1).row]).toEqual([1, 4]);
  expect(await source.read(1)).toEqual({ prompt: 'd', chosen: 'w', rejected: 's', extra: {} });
});

test('a row group is read once while it is in the cache, and again after its eviction', async () => {
  const handle = await open(fixture('plain-snappy.parquet'));
  let reads = 0;
  const counted = new Proxy(handle, {
    get(target, name) {
      if (name === 'read') reads++;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const context = { name: 'x', kind: 'unpaired' as const, maxRowBytes: 1000 };
  const quiet = { accept: () => true, reject: () => {}, progress: () => {} };
  const rows = await readParquet(counted, { ...context, ...quiet }, 1);
  const readsFor = async (index: number) => {
    reads = 0;
    await rows.value(index);
    return reads;
  };
  expect(await readsFor(0)).toBeGreaterThan(0);
  expect(await readsFor(2)).toBe(0);
  expect(await readsFor(3)).toBeGreaterThan(0);
  expect(await readsFor(0)).toBeGreaterThan(0);
  await rows.close();
});

test('other compressions, cut files and other files are rejected with advice', async () => {
  const lz4 = await dataErrorOf(() => openRows(fixture('plain-lz4.parquet'), { kind: 'unpaired' }));
  expect(lz4.text).toMatch(/plain-lz4\.parquet: .*snappy.*LZ4_RAW/);
  const bytes = readFileSync(fixture('chat-snappy.parquet'));
  for (const content of [bytes.subarray(0, 4000), bytes.subarray(4000), Buffer.from('{"a": 1}')]) {
    const path = write('cut.parquet', content);
    const { text } = await dataErrorOf(() => openRows(path, { kind: 'preference' }));
    expect(text).toContain('cut.parquet: not a readable Parquet file');
  }
});

/** A copy of a fixture with changed bytes. */
const changed = (name: string, change: (bytes: Buffer) => void): string => {
  const bytes = readFileSync(fixture(name));
  change(bytes);
  return write(`changed-${name}`, bytes);
};

test('a row group whose columns are not those of the schema is rejected before it is read', async () => {
  // The schema comes first in the footer; one letter of it is changed.
  const path = changed('plain-snappy.parquet', (bytes) => {
    const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    bytes[bytes.indexOf('completion', footer)] = 'C'.charCodeAt(0);
  });
  const { text } = await dataErrorOf(() => openRows(path, { kind: 'unpaired' }));
  expect(text).toMatch(/expected the columns .* in row group 1, each once, found "completion"/);
});

test('changed bytes give a DataError or rows, never an internal error', async () => {
  const whole = readFileSync(fixture('chat-snappy.parquet'));
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed % below;
  };
  for (let round = 0; round < 150; round++) {
    const path = changed('chat-snappy.parquet', (bytes) => {
      for (let flip = 0; flip < 4; flip++) bytes[random(whole.length)]! ^= 1 << random(8);
    });
    try {
      await using source = await openRows(path, { kind: 'preference', onBadRow: 'skip' });
      for (let index = 0; index < source.length; index++) await source.read(index);
    } catch (error) {
      expect((error as Error).name, (error as Error).stack).toMatch(/^(DataError|DataErrors)$/);
      expect((error as Error).message).toContain('changed-chat-snappy.parquet');
      expect((error as Error).message).not.toMatch(/undefined|DataView|Invalid array length/);
    }
  }
});
