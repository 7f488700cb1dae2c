// Reads rows of any format and writes rows of Keel: `keel data convert` and `keel data map`.
import { dirname } from 'node:path';
import { makeFolder } from '@keel/model';
import { exactJson, isPlainObject } from '@keel/model/exact-json';
import { ConfigError } from '../config/config-error.ts';
import { nearest } from '../config/nearest.ts';
import { type RowReading, rowFields } from '../config/row-options.ts';
import { DataError, describeValue, type Fail, type Place } from '../data/data-error.ts';
import { isEmpty } from '../data/is-empty.ts';
import { ValueSource } from '../data/open-values.ts';
import { lookalikes } from '../data/plain-name.ts';
import { streamFileAtomic } from '../files/atomic-write.ts';
import type { Example, Fields, RowFormat } from './formats/example.ts';
import { type Detected, detectFormat, formatNamed } from './formats/formats.ts';
import { type ConversionHooks, groupedRows } from './grouped-rows.ts';
import { refuseExisting } from './refuse-existing.ts';
import { type ConversionSummary, Tally } from './tally.ts';
import { rowsOfExample, type TargetOptions, targetsOf } from './targets.ts';

export interface ConversionOptions extends TargetOptions, RowReading {
  files: readonly string[];
  /** A JSON Lines file. */
  output: string;
  /** A format's name, or `auto`. */
  from: string;
  /** Column or rating that orders answers; null for the format's default. */
  score: string | null;
  /** Only these fields and columns are written; null: all. */
  keep: readonly string[] | null;
  /** These fields and columns are not written. */
  drop: readonly string[] | null;
  /** System message of every chat that has none. */
  system: string | null;
  onBadRow: 'fail' | 'skip';
  overwrite: boolean;
}

/** @throws ConfigError for a name that Keel does not read as JSON Lines, or an existing file */
export function checkOutput(output: string, overwrite: boolean): void {
  if (!/\.(jsonl|ndjson)$/i.test(output)) {
    throw new ConfigError([
      `--output: expected a name that ends in .jsonl, found "${output}". Rows are written as JSON Lines`,
    ]);
  }
  refuseExisting([output], overwrite);
}

/**
 * @throws DataError for the first bad row unless bad rows are skipped, for rows of no known format,
 *   and if no row is left
 * @throws ConfigError for an output that exists, and for rows that cannot become the requested kind
 */
export async function convertRows(
  options: ConversionOptions,
  { onProgress, signal }: ConversionHooks = {},
): Promise<ConversionSummary> {
  const { files, output, onBadRow, overwrite } = options;
  checkOutput(output, overwrite);
  const tally = new Tally(onBadRow);
  const { columns, wrapChat } = options;
  const reject = (error: DataError): void => tally.bad(error);
  await using source = await ValueSource.open(files, { columns, wrapChat, reject });
  const columnsSeen = new ColumnFilter(options);
  let detected: Detected | null =
    options.from === 'auto'
      ? null
      : { format: formatNamed(options.from), reason: `--from ${options.from}` };
  let examples = 0;
  makeFolder(dirname(output));

  await streamFileAtomic(output, async (write) => {
    const finish = (group: readonly Fields[], place: Place, format: RowFormat): void => {
      const reading = tally.reading(place, options.score);
      const index = examples++;
      const make = (): Fields[] | null => {
        const read = format.convert(group, reading);
        if (read === null) return null;
        refuseLookalikes(read, format, reading.fail);
        const example = withSystem(columnsSeen.apply(read), options.system, reading.fail);
        checkTarget(example, options, place);
        return rowsOfExample(example, index, options, reading);
      };
      const rows = tally.take(place, make, group.length);
      for (const row of rows ?? []) write(`${exactJson(row)}\n`);
      tally.written += rows?.length ?? 0;
      tally.plain += rows?.filter(({ prompt }) => typeof prompt === 'string').length ?? 0;
    };

    const hooks = { ...(onProgress && { onProgress }), ...(signal && { signal }) };
    const detect = (row: Fields, place: Place): Detected => {
      detected ??= detectFormat(row, place);
      return detected;
    };
    for await (const { rows, place } of groupedRows(source, tally, detect, hooks))
      finish(rows, place, detected!.format);
    columnsSeen.check(files.join(', '));
    if (tally.written === 0) throw tally.nothing(files.join(', '));
  });
  return tally.summary(output, detected!);
}

/**
 * Refuses columns that the format would read if their names were written in its form.
 * @throws DataError for the first one that is not empty
 */
export function refuseLookalikes(
  { columns }: Example,
  { reads = [] }: RowFormat,
  fail: Fail,
): void {
  const lookalikeOf = lookalikes(reads);
  for (const [name, value] of Object.entries(columns)) {
    const known = isEmpty(value) ? undefined : lookalikeOf(name);
    if (known === undefined) continue;
    fail(name, {
      expected: `the column "${known}", or another name`,
      found: describeValue(value),
      advice: `Rename it to "${known}", or remove it`,
    });
  }
}

/** @throws ConfigError if the example cannot become the requested kind */
function checkTarget(example: Example, { to }: TargetOptions, place: Place): void {
  if (to === null) return;
  const known = targetsOf(example.kind);
  if (known.includes(to)) return;
  const what = held[example.kind];
  const hint = known.length === 0 ? '' : ` They can be written as ${known.join(', ')}`;
  throw new ConfigError([`--to ${to}: the rows hold ${what} (${place.file}).${hint}`]);
}

const held: Readonly<Record<Example['kind'], string>> = {
  chat: 'chats, without a comparison of answers',
  answer: 'single answers, without a comparison',
  pair: 'pairs',
  ranking: 'rankings',
  thumb: 'single answers with a label',
  prompt: 'prompts, without answers',
  text: 'plain texts, without turns',
  steps: 'the steps of answers',
};

/** Puts a system message before a chat that has none. */
function withSystem(example: Example, system: string | null, fail: Fail): Example {
  if (system === null) return example;
  const turn = { role: 'system', content: system };
  const added = (content: unknown, field: string): readonly unknown[] => {
    if (!Array.isArray(content)) {
      return fail(field, {
        expected: 'messages, to which --system adds one',
        found: describeValue(content),
        advice: 'Pass --wrap-chat to make chats of plain rows',
      });
    }
    const [first] = content as unknown[];
    const has = isPlainObject(first) && (first.role === 'system' || first.role === 'developer');
    return has ? content : [turn, ...content];
  };
  switch (example.kind) {
    case 'chat':
      return { ...example, messages: added(example.messages, 'messages') };
    case 'text':
      added(example.text, 'text');
      return example;
    case 'pair':
      // Without a prompt, both answers start with it.
      return example.prompt === undefined
        ? {
            ...example,
            chosen: added(example.chosen, 'chosen'),
            rejected: added(example.rejected, 'rejected'),
          }
        : { ...example, prompt: added(example.prompt, 'prompt') };
    default:
      return { ...example, prompt: added(example.prompt, 'prompt') } as Example;
  }
}

/** Applies --keep and --drop to the columns of a row. --keep never removes a row's own fields. */
class ColumnFilter {
  readonly #keep: readonly string[] | null;
  readonly #drop: readonly string[] | null;
  readonly #seen = new Set<string>();

  constructor({ keep, drop }: Pick<ConversionOptions, 'keep' | 'drop'>) {
    this.#keep = keep;
    this.#drop = drop;
  }

  apply(example: Example): Example {
    if (this.#keep === null && this.#drop === null) return example;
    const names = Object.keys(example.columns);
    for (const name of names) this.#seen.add(name);
    const stays = (name: string): boolean =>
      this.#keep === null
        ? !this.#drop!.includes(name)
        : this.#keep.includes(name) || (rowFields as readonly string[]).includes(name);
    const columns = Object.fromEntries(
      names.filter(stays).map((name) => [name, example.columns[name]]),
    );
    return { ...example, columns };
  }

  /** @throws DataError for a name that no row has */
  check(file: string): void {
    for (const name of this.#keep ?? this.#drop ?? []) {
      if (this.#seen.has(name)) continue;
      const seen = [...this.#seen];
      const near = nearest(name, seen);
      throw new DataError({
        file,
        expected: `a column "${name}", as in --${this.#keep === null ? 'drop' : 'keep'}`,
        found: seen.length === 0 ? 'no other columns' : `only ${seen.join(', ')}`,
        ...(near !== null && { advice: `Did you mean "${near}"?` }),
      });
    }
  }
}
