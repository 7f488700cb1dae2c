// Splits rows into parts, with all answers to a prompt in one part: `keel data split`.
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { makeFolder } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import { ConfigError } from '../config/config-error.ts';
import type { RowReading } from '../config/row-options.ts';
import { DataError, type Place } from '../data/data-error.ts';
import { type Content, isChat, textOf } from '../data/messages.ts';
import { ValueSource } from '../data/open-values.ts';
import { parseRow } from '../data/parse-row.ts';
import { shuffledOrder } from '../data/shuffle.ts';
import { streamFileAtomic } from '../files/atomic-write.ts';
import type { Fields } from './formats/example.ts';
import { ownExample } from './formats/keel.ts';
import type { ConversionHooks } from './grouped-rows.ts';
import { refuseExisting } from './refuse-existing.ts';

/** A part of the rows: its name, and its share (from 0 to 1) or its number of rows. */
export interface SplitPart {
  name: string;
  size: number;
  unit: 'share' | 'rows';
}

export interface SplitOptions extends Pick<RowReading, 'columns'> {
  files: readonly string[];
  /** A folder, or the beginning of the files' names. */
  output: string;
  /** In order. The last part gets the remaining rows. */
  parts: readonly SplitPart[];
  /** Whether the rows of one prompt stay together. */
  by: 'prompt' | 'row';
  seed: number;
  onBadRow: 'fail' | 'skip';
  overwrite: boolean;
}

export interface SplitSummary {
  parts: { name: string; path: string; rows: number; prompts: number }[];
  badRows: number;
  firstBadRow: string | null;
}

/**
 * @throws DataError for a bad row unless bad rows are skipped
 * @throws ConfigError for files that exist, and for parts that would be empty
 */
export async function splitRows(
  options: SplitOptions,
  { onProgress, signal }: ConversionHooks = {},
): Promise<SplitSummary> {
  const { files, parts, by, seed, onBadRow, columns } = options;
  const paths = parts.map(({ name }) => partPath(options.output, name));
  refuseExisting(paths, options.overwrite);
  let badRows = 0;
  let firstBadRow: string | null = null;
  const reject = (error: DataError): void => {
    if (onBadRow === 'fail') throw error;
    badRows++;
    firstBadRow ??= error.message;
  };
  await using source = await ValueSource.open(files, { columns, reject });
  const keys = new Map<string, number>();
  /** Group of each row, or -1 for a bad one: [rows] */
  const groups = new Int32Array(source.length);
  const sizes: number[] = [];
  let at = 0;
  for await (const placed of source.iterate()) {
    signal?.throwIfAborted();
    onProgress?.(at / 2, source.length);
    groups[at] = -1;
    try {
      const key = by === 'row' ? String(at) : promptKey(source.fields(placed), placed.place);
      const group = keys.get(key) ?? keys.size;
      keys.set(key, group);
      groups[at] = group;
      sizes[group] = (sizes[group] ?? 0) + 1;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      reject(error);
    }
    at++;
  }
  keys.clear();
  const partOf = assign(sizes, parts, seed);
  const summary = parts.map(({ name }, index) => ({
    ...{ name, path: paths[index]! },
    rows: sizes.reduce((sum, size, group) => sum + (partOf[group] === index ? size : 0), 0),
    prompts: partOf.filter((one) => one === index).length,
  }));
  refuseEmpty(summary, sizes.length, by);
  makeFolder(dirname(paths[0]!));
  await writeParts(paths, async (write) => {
    let row = 0;
    for await (const { value } of source.iterate()) {
      signal?.throwIfAborted();
      onProgress?.((source.length + row) / 2, source.length);
      const group = groups[row++]!;
      if (group >= 0) write[partOf[group]!]!(`${exactJson(value)}\n`);
    }
  });
  return { parts: summary, badRows, firstBadRow };
}

/** A folder's files are `train.jsonl`, …; a prefix is continued: `rows-train.jsonl`. */
function partPath(output: string, name: string): string {
  const isPrefix = /[^/\\]-$/.test(output) || /\.jsonl$/i.test(output);
  if (!isPrefix) return join(output, `${name}.jsonl`);
  return `${output.replace(/\.jsonl$/i, '-')}${name}.jsonl`;
}

function refuseEmpty(summary: SplitSummary['parts'], groups: number, by: SplitOptions['by']): void {
  const empty = summary.filter(({ rows }) => rows === 0).map(({ name }) => name);
  if (empty.length === 0) return;
  const of = by === 'prompt' ? 'different prompts' : 'rows';
  throw new ConfigError([
    `--output: no row would be in ${empty.join(' and ')}: there are ${groups} ${of}. Pass other sizes`,
  ]);
}

/** Writes all files, or none of them. */
async function writeParts(
  paths: readonly string[],
  fill: (write: ((text: string) => void)[]) => Promise<void>,
): Promise<void> {
  const nested = (rest: readonly string[], open: ((text: string) => void)[]): Promise<void> =>
    rest.length === 0
      ? fill(open)
      : streamFileAtomic(rest[0]!, (write) => nested(rest.slice(1), [...open, write]));
  await nested(paths, []);
}

/**
 * Identifies a prompt, whatever its form. Case and white space do not count, and plain text equals
 * a chat with one question. A chat without a prompt is identified by its first question.
 * @throws DataError for a row without a prompt
 */
function promptKey(row: Fields, place: Place): string {
  const example = ownExample(row);
  if (example === null) {
    throw new DataError({
      ...place,
      expected: 'a row of Keel, with a prompt',
      found: `the columns ${Object.keys(row).join(', ')}`,
      advice:
        'Name the prompt with --columns prompt=…, convert the file with keel data convert, or pass --by row',
    });
  }
  let prompt: Content;
  if (example.kind === 'text') prompt = example.text;
  else if (example.kind === 'chat') {
    const { messages } = parseRow('messages', { messages: example.messages }, place);
    const answer = messages.findIndex(({ role }) => role === 'assistant');
    prompt = messages.slice(0, answer < 0 ? messages.length : answer);
  } else if (example.kind === 'pair') {
    if (example.prompt === undefined && typeof example.chosen === 'string') {
      throw new DataError({
        ...place,
        field: 'chosen',
        expected: 'a "prompt" beside plain answers',
        found: 'none: where the prompt ends is not known',
        advice:
          'Convert the file with keel data convert if it has turns (--from hh), or pass --by row',
      });
    }
    prompt = parseRow('preference', row, place).prompt;
  } else prompt = parseRow('prompt', { prompt: example.prompt }, place).prompt;
  const said = isChat(prompt)
    ? prompt.filter(({ role }) => role !== 'system' && role !== 'developer').map(textOf)
    : [prompt];
  const text = said.join('\n').normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim();
  return createHash('sha256').update(text).digest('base64');
}

/**
 * The part of each group. Groups are drawn in a seeded order, and each part receives groups until
 * it has its rows. Groups are not divided, so a part may have a few rows more.
 */
function assign(sizes: readonly number[], parts: readonly SplitPart[], seed: number): number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const order = shuffledOrder(sizes.length, seed, 0);
  const partOf = new Array<number>(sizes.length).fill(parts.length - 1);
  let next = 0;
  for (const [index, { size, unit }] of parts.slice(0, -1).entries()) {
    const wanted = unit === 'rows' ? size : Math.round(size * total);
    for (let rows = 0; rows < wanted && next < order.length; next++) {
      const group = order[next]!;
      partOf[group] = index;
      rows += sizes[group]!;
    }
  }
  return partOf;
}
