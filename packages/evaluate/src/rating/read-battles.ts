// Reads files with battles of any format into a table, row by row.
import { createHash } from 'node:crypto';
import { DataError, describeValue, eachValue, type Place } from '@keel/align/data';
import { exactJson, isPlainObject, plainNumbers } from '@keel/model/exact-json';
import { BattleTable, styleFeature } from '@keel/statistics';
import { styleNames } from './battles/answer-style.ts';
import type { BattleFormat, Fields, RowBattle, RowReading } from './battles/row-battle.ts';
import { detectBattles } from './formats/formats.ts';

export interface BattleReading {
  /** Files, folders, globs and `hub:` specs. */
  files: readonly string[];
  /** `field=column`: a field of a format, and the column of the files that holds it. */
  columns: readonly string[] | null;
  onBadRow: 'fail' | 'skip';
  /** `column=value`: only rows with this value. */
  only: readonly string[];
  /** Models whose battles are not read. */
  exclude: readonly string[];
  /** Column whose values divide the battles; null: none. */
  by: string | null;
  /** Column whose equal values make battles dependent; `prompt`: the prompt's text; null: none. */
  cluster: string | null;
  styleControl: boolean;
}

export interface ReadHooks {
  /** Share of the files that was read. */
  onProgress?(share: number): void;
  signal?: AbortSignal;
}

/** Battles, and what was read. */
export interface ReadBattles {
  table: BattleTable;
  /** The column `by`, its values in the order of their first row, and the value of each battle. */
  categories: { column: string; names: readonly string[]; of: readonly number[] } | null;
  /** Files by format. */
  formats: Readonly<Record<string, readonly string[]>>;
  rows: number;
  /** The column whose equal values make battles dependent. */
  clusterName: string | null;
  /** Distinct clusters; null if every battle is its own. */
  clusters: number | null;
  /** Battles whose row has no value for the cluster: each is its own. */
  unclustered: number;
  ties: number;
  /** Battles by who decided them, if rows name them. */
  judges: Readonly<Record<string, number>>;
  /** Rows that are no battle, by reason. */
  skipped: Readonly<Record<string, number>>;
  badRows: number;
  firstBadRow: string | null;
}

/** Rows whose column has no value. */
const NO_VALUE = '(none)';

/**
 * @throws DataError for the first bad row unless bad rows are skipped, and if there is no battle
 */
export async function readBattles(
  options: BattleReading,
  { onProgress, signal }: ReadHooks = {},
): Promise<ReadBattles> {
  const reader = new BattleReader(options);
  await eachValue(options.files, {
    each: (value, place) => {
      signal?.throwIfAborted();
      reader.take(value, place);
    },
    reject: (error) => reader.bad(error),
    votes: true,
    ...(onProgress && { progress: onProgress }),
  });
  return reader.end();
}

class BattleReader {
  readonly #options: BattleReading;
  readonly #renamed: ReadonlyMap<string, string>;
  readonly #only: readonly (readonly [column: string, value: string])[];
  readonly #table = new BattleTable();
  readonly #formats = new Map<string, BattleFormat>();
  readonly #categories = new Map<string, number>();
  readonly #categoryOf: number[] = [];
  readonly #judges = new Map<string, number>();
  readonly #skipped = new Map<string, number>();
  readonly #clusters = new Set<string>();
  readonly #seenColumns = new Set<string>();
  /** Models that battles name, and columns of --columns that rows have. */
  readonly #seenModels = new Set<string>();
  readonly #seenRenamed = new Set<string>();
  #rows = 0;
  #ties = 0;
  #unclustered = 0;
  #badRows = 0;
  #firstBad: DataError | null = null;

  constructor(options: BattleReading) {
    this.#options = options;
    this.#renamed = new Map((options.columns ?? []).map((text) => splitOnce(text)));
    this.#only = options.only.map(splitOnce);
  }

  take(value: unknown, place: Place): void {
    this.#rows += 1;
    try {
      this.#row(value, place);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      this.bad(error);
    }
  }

  /** Counts a bad row. @throws the error unless bad rows are skipped */
  bad(error: DataError): void {
    if (this.#options.onBadRow === 'fail') throw withAdvice(error);
    this.#badRows += 1;
    this.#firstBad ??= error;
  }

  #row(value: unknown, place: Place): void {
    if (!isPlainObject(value))
      throw new DataError({ ...place, expected: 'an object', found: describeValue(value) });
    const row = this.#read(value);
    const reading = this.#reading(place);
    const format = this.#formats.get(place.file) ?? detectBattles(row, place);
    this.#formats.set(place.file, format);
    const selects = this.#only.filter(([column]) => column !== 'judge');
    if (!selects.every(([column, wanted]) => this.#valueOf(row, column) === wanted)) {
      reading.skip('rows that --only excludes');
      return;
    }
    const battles = format.battles(row, reading);
    // A row counts as a whole: nothing of a bad one is in the table.
    const made = battles.flatMap((battle) => this.#battle(battle, row, reading));
    for (const { add, category, judge, cluster } of made) {
      this.#table.add(add);
      if (add.outcome === 0.5) this.#ties += 1;
      if (category !== null) this.#categoryOf.push(this.#category(category));
      if (judge !== undefined) this.#judges.set(judge, (this.#judges.get(judge) ?? 0) + 1);
      if (cluster === null) this.#unclustered += 1;
      else this.#clusters.add(cluster);
    }
  }

  /** What a battle adds; nothing if it is not selected. */
  #battle(battle: RowBattle, row: Fields, reading: RowReading) {
    const { a, b, outcome, weight, judge } = battle;
    const { by, cluster: clusterBy, styleControl, exclude } = this.#options;
    this.#seenModels.add(a).add(b);
    if (exclude.includes(a) || exclude.includes(b)) {
      reading.skip('battles of models that --exclude names');
      return [];
    }
    const own = (column: string): string | null =>
      column === 'judge' && judge !== undefined ? judge : this.#valueOf(row, column);
    if (this.#only.some(([column, wanted]) => column === 'judge' && own('judge') !== wanted)) {
      reading.skip('battles that --only excludes');
      return [];
    }
    const shared =
      clusterBy === null ? null : clusterBy === 'prompt' ? battle.prompt : own(clusterBy);
    const cluster = shared === null ? null : shortName(shared);
    const features = styleControl ? featuresOf(battle, reading) : undefined;
    const category = by === null ? null : (own(by) ?? NO_VALUE);
    if (by !== null && category !== NO_VALUE) this.#seenColumns.add(by);
    if (clusterBy !== null && cluster !== null) this.#seenColumns.add(clusterBy);
    const add = { a, b, outcome, weight, cluster: cluster ?? undefined, features };
    return [{ add, category, judge, cluster }];
  }

  #category(name: string): number {
    const known = this.#categories.get(name);
    if (known !== undefined) return known;
    this.#categories.set(name, this.#categories.size);
    return this.#categories.size - 1;
  }

  #read(value: Fields): Fields {
    if (this.#renamed.size === 0) return value;
    const own = [...this.#renamed].flatMap(([field, column]) => {
      if (!(column in value)) return [];
      this.#seenRenamed.add(column);
      return [[field, value[column]] as const];
    });
    return { ...value, ...Object.fromEntries(own) };
  }

  /** A column's value as text, by a path such as `category_tag.math`; null if there is none. */
  #valueOf(row: Fields, path: string): string | null {
    let value: unknown = row[path];
    if (value === undefined) {
      value = row;
      for (const part of path.split('.')) value = isPlainObject(value) ? value[part] : undefined;
    }
    if (value === undefined || value === null) return null;
    this.#seenColumns.add(path);
    const plain = plainNumbers(value);
    return typeof plain === 'object' ? exactJson(plain) : String(plain);
  }

  #reading(place: Place): RowReading {
    return {
      place,
      fail: (field, details) => {
        throw new DataError({ ...place, ...(field !== undefined && { field }), ...details });
      },
      skip: (why) => {
        this.#skipped.set(why, (this.#skipped.get(why) ?? 0) + 1);
        return [];
      },
    };
  }

  /**
   * @throws DataError if there is no battle, or no row has a column or a model that an option names
   */
  end(): ReadBattles {
    const file = this.#options.files.join(', ');
    for (const [field, column] of this.#renamed) {
      if (this.#seenRenamed.has(column)) continue;
      throw new DataError({
        file,
        expected: `a column "${column}", as in --columns ${field}=${column}`,
        found: 'no row that has it',
      });
    }
    // The battles that --only excludes are not read, so they may have any model.
    const excluded = this.#only.length === 0 ? this.#options.exclude : [];
    for (const model of excluded) {
      if (this.#seenModels.has(model) || this.#seenModels.size === 0) continue;
      throw new DataError({
        file,
        expected: `battles of ${model}, as in --exclude`,
        found: `battles of ${[...this.#seenModels].join(', ')}`,
      });
    }
    const named = [
      ['--by', this.#options.by],
      ['--cluster', this.#options.cluster === 'prompt' ? null : this.#options.cluster],
      ...this.#only.map(([column]) => ['--only', column] as const),
    ] as const;
    for (const [flag, column] of named) {
      if (column === null || this.#seenColumns.has(column)) continue;
      if (column === 'judge' && this.#judges.size > 0) continue;
      throw new DataError({
        file,
        expected: `a column "${column}", as in ${flag}`,
        found: 'no row that has a value in it',
      });
    }
    if (this.#table.length === 0) {
      const reasons = [...this.#skipped].map(([why, rows]) => `${rows} ${why}`);
      if (this.#badRows > 0) reasons.unshift(`${this.#badRows} bad rows`);
      throw new DataError({
        file,
        expected: 'at least one battle',
        found: reasons.length === 0 ? 'none' : `none (${reasons.join('; ')})`,
        ...(this.#firstBad !== null && { advice: `First fault: ${this.#firstBad.message}` }),
      });
    }
    const formats = new Map<string, string[]>();
    for (const [name, { name: format }] of this.#formats)
      formats.set(format, [...(formats.get(format) ?? []), name]);
    return {
      table: this.#table,
      categories:
        this.#options.by === null
          ? null
          : { column: this.#options.by, names: [...this.#categories.keys()], of: this.#categoryOf },
      formats: Object.fromEntries(formats),
      rows: this.#rows,
      clusterName: this.#options.cluster,
      clusters: this.#clusters.size === 0 ? null : this.#clusters.size,
      unclustered: this.#unclustered,
      ties: this.#ties,
      judges: Object.fromEntries(this.#judges),
      skipped: Object.fromEntries(this.#skipped),
      badRows: this.#badRows,
      firstBadRow: this.#firstBad?.message ?? null,
    };
  }
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/** A short name for a text of any length, so that a table of many prompts stays small. */
const shortName = (text: string): string =>
  text.length <= 24 ? text : createHash('sha1').update(text).digest('base64').slice(0, 20);

function featuresOf(battle: RowBattle, reading: RowReading): number[] {
  const styles = battle.style();
  if (styles === null) {
    return reading.fail(undefined, {
      expected: 'both answers, for --style-control',
      found: 'a row without them',
      advice: 'Leave --style-control out, or add the answers to the row',
    });
  }
  return styleNames.map((name) => styleFeature(styles[0][name], styles[1][name]));
}

const withAdvice = (error: DataError): DataError => {
  if (error.advice !== undefined) return error;
  const { file, line, row, field, expected, found } = error;
  return new DataError(
    {
      file,
      ...(line !== undefined && { line }),
      ...(row !== undefined && { row }),
      ...(field !== undefined && { field }),
      ...(expected !== undefined && { expected }),
      found,
      advice: 'Fix the row, or skip bad rows with --on-bad-row skip',
    },
    { cause: error },
  );
};
