/**
 * Indexes and reads a preference file that is larger than the memory it may use.
 *
 *     node benchmarks/stream-large-file.ts [gigabytes]
 *
 * Writes a JSONL file (default: 2 GB) into a temporary folder, reads it in a separate process,
 * prints rates and that process's peak resident memory, removes the file, and fails if the peak is
 * 1.5 GB or more.
 */
import { fork } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openRows, shuffledOrder } from '@keel/align/data';

const limit = 1.5e9;
const randomReads = 2000;
const words =
  'the model gives an answer that people like or do not like and says why it is so'.split(' ');

const answer = (row: number, length: number): string =>
  Array.from({ length }, (_, i) => words[(row * 7 + i * i + 3 * i) % words.length]).join(' ');

function* rows(bytes: number): Generator<string> {
  let written = 0;
  // Write pieces of 256 rows: one write per row would measure the stream.
  for (let row = 0; written < bytes; ) {
    const piece: string[] = [];
    for (const end = row + 256; row < end; row++) {
      const say = (role: string, content: string) => [{ role, content }];
      const prompt = say('user', `Question ${row}: ${answer(row, 40)}?`);
      const chosen = say('assistant', answer(row, 120 + (row % 60)));
      const rejected = say('assistant', answer(row + 1, 130 + (row % 50)));
      piece.push(JSON.stringify({ prompt, chosen, rejected, score_chosen: 0.9, row }));
    }
    const text = `${piece.join('\n')}\n`;
    written += text.length;
    yield text;
  }
}

const seconds = (since: number): number => (performance.now() - since) / 1000;

const read = async (path: string): Promise<void> => {
  const bytes = statSync(path).size;
  let start = performance.now();
  await using source = await openRows(path, { kind: 'preference' });
  const indexing = seconds(start);
  console.log(
    `index: ${source.length} rows, ${(bytes / 1e6 / indexing).toFixed(0)} MB/s, ${(source.length / indexing).toFixed(0)} rows/s, ${indexing.toFixed(1)} s`,
  );

  const order = shuffledOrder(source.length, 1, 0).subarray(0, randomReads);
  start = performance.now();
  for (const index of order) {
    const row = await source.read(index);
    if (row.extra.row !== index) throw new Error(`row ${index} came back as ${row.extra.row}`);
  }
  const random = seconds(start);
  console.log(`${randomReads} random rows: ${(randomReads / random).toFixed(0)} rows/s`);

  start = performance.now();
  let walked = 0;
  for await (const row of source.iterate()) {
    if (row.extra.row !== walked) throw new Error(`row ${walked} came back as ${row.extra.row}`);
    walked++;
  }
  if (walked !== source.length) throw new Error(`${walked} of ${source.length} rows were read`);
  const pass = seconds(start);
  console.log(
    `one pass: ${(bytes / 1e6 / pass).toFixed(0)} MB/s, ${(walked / pass).toFixed(0)} rows/s, ${pass.toFixed(1)} s`,
  );

  // maxRSS counts kilobytes.
  const peak = process.resourceUsage().maxRSS * 1024;
  console.log(
    `peak resident memory: ${(peak / 1e6).toFixed(0)} MB for a file of ${(bytes / 1e6).toFixed(0)} MB`,
  );
  if (peak >= limit) throw new Error(`the peak is not below ${limit / 1e6} MB`);
};

const main = async (): Promise<void> => {
  const gigabytes = Number(process.argv[2] ?? 2);
  const folder = mkdtempSync(join(tmpdir(), 'keel-stream-'));
  try {
    const path = join(folder, 'pairs.jsonl');
    await pipeline(Readable.from(rows(gigabytes * 1e9)), createWriteStream(path));
    const child = fork(import.meta.filename, ['--read', path]);
    process.exitCode = await new Promise<number>((done) => {
      child.once('exit', (code) => done(code ?? 1));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

if (process.argv[2] === '--read') await read(process.argv[3]!);
else await main();
