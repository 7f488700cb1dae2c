// The numbers of a run, from metrics.jsonl or from TensorBoard's event files, kept up to date while
// the run writes them.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isEventFile } from '../folders/kinds.ts';
import { Columns } from './columns.ts';
import { eventRecords } from './event-records.ts';
import { loggedEvent } from './events.ts';
import { appendedRows } from './metrics-rows.ts';

/** Numbers of a run that are read again and again. */
export interface RunNumbers {
  readonly columns: Columns;
  /** Damage of the files, a sentence each. */
  readonly faults: readonly string[];
  /** Texts by tag: the arguments and the model of TRL's runs. */
  readonly texts: ReadonlyMap<string, string>;
  /** Milliseconds since 1970 of the last number; null if the files do not say. */
  readonly lastTime: number | null;
  /** Of the first number. */
  readonly firstTime: number | null;
  /** Reads what was added. */
  update(): void;
}

/** Numbers of metrics.jsonl. */
export class JsonNumbers implements RunNumbers {
  readonly columns = new Columns();
  readonly texts = new Map<string, string>();
  readonly lastTime = null;
  readonly firstTime = null;
  faults: string[] = [];
  readonly #path: () => string | null;
  #cursor: string | null = null;

  /** @param path of the file; null as long as there is none */
  constructor(path: () => string | null) {
    this.#path = path;
  }

  update(): void {
    const path = this.#path();
    for (let more = path !== null; more; ) {
      const read = appendedRows(path!, this.#cursor);
      if (read.restarted) {
        this.columns.clear();
        this.faults = [];
      }
      for (const row of read.rows) this.columns.add(row);
      this.faults.push(...read.faults);
      this.#cursor = read.cursor;
      more = read.more && read.rows.length > 0;
    }
  }
}

interface EventFile {
  name: string;
  inode: number;
  next: number;
  stopped: boolean;
  incomplete: number;
  faults: string[];
}

/** Numbers of a folder's event files, with TRL's names. */
export class EventNumbers implements RunNumbers {
  readonly columns = new Columns();
  readonly texts = new Map<string, string>();
  lastTime: number | null = null;
  firstTime: number | null = null;
  readonly #folder: string;
  #files: EventFile[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  get faults(): string[] {
    return this.#files.flatMap(({ name, faults, incomplete }) => [
      ...faults.map((fault) => `${name}: ${fault}`),
      ...(incomplete === 0
        ? []
        : [
            `${name}: the last ${incomplete} bytes are not a whole record: it is being written, or its writer was killed`,
          ]),
    ]);
  }

  update(): void {
    // Names start with the time at which the file was opened.
    const names = readdirSync(this.#folder).filter(isEventFile).sort();
    const stats = names.map((name) => statSync(join(this.#folder, name)));
    const same = this.#files.every(
      ({ name, inode, next }, at) =>
        names[at] === name && stats[at]!.ino === inode && stats[at]!.size >= next,
    );
    if (!same) {
      this.#files = [];
      this.columns.clear();
      this.texts.clear();
      this.lastTime = null;
      this.firstTime = null;
    }
    for (const [at, name] of names.entries()) {
      const inode = stats[at]!.ino;
      this.#files[at] ??= { name, inode, next: 0, stopped: false, incomplete: 0, faults: [] };
      this.#readFile(this.#files[at]);
    }
  }

  #readFile(file: EventFile): void {
    if (file.stopped) return;
    const read = eventRecords(join(this.#folder, file.name), file.next);
    file.next = read.next;
    file.stopped = read.stopped;
    file.incomplete = read.incomplete;
    file.faults.push(...read.faults);
    for (const { data, offset } of read.records) {
      try {
        this.#add(data);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        file.faults.push(`the record at byte ${offset} is not an event: ${error.message}`);
      }
    }
  }

  #add(data: Uint8Array): void {
    const { step, time, restarts, numbers, texts } = loggedEvent(data);
    if (restarts) this.columns.removeFrom(step);
    for (const { tag, value } of numbers) this.columns.set(metricOf(tag), step, value);
    for (const { tag, text } of texts) this.texts.set(tag, text);
    if (numbers.length === 0) return;
    this.lastTime = Math.max(this.lastTime ?? 0, time * 1000);
    this.firstTime = Math.min(this.firstTime ?? Number.POSITIVE_INFINITY, time * 1000);
  }
}

/** `train/loss` is `loss`, and `eval/loss` is `eval_loss`. */
const metricOf = (tag: string): string => tag.replace(/^train\//, '').replace(/^eval\//, 'eval_');
