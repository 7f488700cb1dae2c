// The numbers of a run, from metrics.jsonl, TensorBoard's event files or a Trainer's state, kept up
// to date while the run writes them.
import { basename } from 'node:path';
import { isEventFile } from '../folders/kinds.ts';
import { ownFile } from '../folders/own-file.ts';
import { namesIn, whyUnreadable } from '../folders/read-files.ts';
import type { RunRoot } from '../folders/run-root.ts';
import { stateFiles } from '../folders/trainer-folder.ts';
import { Columns } from './columns.ts';
import { type EventRecords, eventRecords } from './event-records.ts';
import { loggedEvent } from './events.ts';
import { appendedRows } from './metrics-rows.ts';
import { type TrainerState, TrainerStateFile } from './trainer-state.ts';

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
  readonly #path: () => string | null;
  #damaged: string[] = [];
  #failed: string | null = null;
  #cursor: string | null = null;

  /** @param path of the file; null as long as there is none */
  constructor(path: () => string | null) {
    this.#path = path;
  }

  get faults(): string[] {
    const failed = this.#failed === null ? [] : [`metrics.jsonl: cannot be read: ${this.#failed}`];
    return [...failed, ...this.#damaged];
  }

  update(): void {
    const path = this.#path();
    this.#failed = null;
    for (let more = path !== null; more; ) {
      const read = appendedRows(path!, this.#cursor);
      if (read.restarted) {
        this.columns.clear();
        this.#damaged = [];
      }
      for (const row of read.rows) this.columns.add(row);
      this.#damaged.push(...read.faults);
      this.#failed = read.failed;
      this.#cursor = read.cursor;
      more = read.more && read.rows.length > 0;
    }
  }
}

interface EventFile {
  path: string;
  inode: number;
  next: number;
  stopped: boolean;
  incomplete: number;
  faults: string[];
  /** Metrics that it has. */
  seen: Set<string>;
  /** The step of its first number; null without numbers. */
  first: number | null;
}

/** Numbers of event files, with TRL's names. */
export class EventNumbers implements RunNumbers {
  readonly columns = new Columns();
  readonly texts = new Map<string, string>();
  lastTime: number | null = null;
  firstTime: number | null = null;
  readonly #root: RunRoot;
  readonly #folders: () => readonly string[];
  #files: EventFile[] = [];
  #leftOut: string[] = [];
  /** Changes with each number that is read. */
  version = 0;

  /** @param folders with the event files of one run */
  constructor(root: RunRoot, folders: () => readonly string[]) {
    this.#root = root;
    this.#folders = folders;
  }

  /** The first step of the file that was opened last; null without numbers. */
  get lastStart(): { step: number; time: number } | null {
    const last = this.#files.findLast(({ first }) => first !== null);
    return last === undefined ? null : { step: last.first!, time: openedAt(last.path) * 1000 };
  }

  get faults(): string[] {
    const read = this.#files.flatMap(({ path, faults, incomplete }) => [
      ...faults.map((fault) => `${basename(path)}: ${fault}`),
      ...(incomplete === 0
        ? []
        : [
            `${basename(path)}: the last ${incomplete} bytes are not a whole record: it is being written, or its writer was killed`,
          ]),
    ]);
    return [...this.#leftOut, ...read];
  }

  update(): void {
    const { files: found, leftOut } = eventFiles(this.#root, this.#folders());
    this.#leftOut = leftOut;
    const same = this.#files.every(
      ({ path, inode, next }, at) =>
        found[at]?.path === path && found[at].inode === inode && found[at].size >= next,
    );
    if (!same) {
      this.#files = [];
      this.columns.clear();
      this.texts.clear();
      this.lastTime = null;
      this.firstTime = null;
      this.version += 1;
    }
    for (const [at, { path, inode }] of found.entries()) {
      this.#files[at] ??= {
        ...{ path, inode, next: 0, stopped: false, incomplete: 0, faults: [] },
        ...{ seen: new Set(), first: null },
      };
      this.#readFile(this.#files[at], at > 0);
    }
  }

  #readFile(file: EventFile, isLater: boolean): void {
    if (file.stopped) return;
    let read: EventRecords;
    try {
      read = eventRecords(file.path, file.next);
    } catch (error) {
      file.faults = [`cannot be read: ${whyUnreadable(error) ?? 'it is gone'}`];
      return;
    }
    file.next = read.next;
    file.stopped = read.stopped;
    file.incomplete = read.incomplete;
    file.faults.push(...read.faults);
    for (const { data, offset } of read.records) {
      try {
        this.#add(data, file, isLater);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        file.faults.push(`the record at byte ${offset} is not an event: ${error.message}`);
      }
    }
  }

  #add(data: Uint8Array, file: EventFile, isLater: boolean): void {
    const { step, time, restarts, numbers, texts } = loggedEvent(data);
    if (restarts) this.columns.removeFrom(step);
    for (const { tag, value } of numbers) {
      const name = metricOf(tag);
      // A Trainer that resumes says so nowhere. What an earlier file has after that is not valid.
      if (isLater && !file.seen.has(name)) this.columns.removeFrom(step, name);
      file.seen.add(name);
      file.first ??= step;
      this.columns.set(name, step, value);
      this.version += 1;
    }
    for (const { tag, text } of texts) this.texts.set(tag, text);
    if (numbers.length === 0) return;
    this.lastTime = Math.max(this.lastTime ?? 0, time * 1000);
    this.firstTime = Math.min(this.firstTime ?? Number.POSITIVE_INFINITY, time * 1000);
  }
}

/** `train/loss` is `loss`, and `eval/loss` is `eval_loss`. */
const metricOf = (tag: string): string => tag.replace(/^train\//, '').replace(/^eval\//, 'eval_');

/** Seconds since 1970 at which an event file was opened, by its name. */
const openedAt = (path: string): number =>
  Number(/^events\.out\.tfevents\.(\d+)/.exec(basename(path))?.[1] ?? 0);

/** The event files of folders, those that were opened first before others. */
function eventFiles(
  root: RunRoot,
  folders: readonly string[],
): { files: { path: string; inode: number; size: number }[]; leftOut: string[] } {
  const found = folders.flatMap((folder) =>
    namesIn(folder)
      .filter(isEventFile)
      .map((name) => ({ name, file: ownFile(root, folder, name) })),
  );
  return {
    files: found
      .flatMap(({ file }) => (file === null || file.fault !== null ? [] : file))
      .sort((a, b) => openedAt(a.path) - openedAt(b.path) || (a.path < b.path ? -1 : 1)),
    leftOut: found.flatMap(({ name, file }) => (file?.fault ? `${name}: ${file.fault}` : [])),
  };
}

/** Differs if something was added to the files of another trainer's run. */
export function sourceSignature(
  root: RunRoot,
  { path, kind, events }: { path: string; kind: string; events: readonly string[] },
): string {
  const logged = eventFiles(root, events);
  const states = kind === 'trainer' ? stateFiles(root, path) : { files: [], leftOut: [] };
  return [
    ...logged.files.map((file) => `${file.path} ${file.inode} ${file.size}`),
    ...states.files.map(({ name, time }) => `${name} ${time}`),
    ...logged.leftOut,
    ...states.leftOut,
  ].join('\n');
}

/** Numbers of a Trainer's folder: its event files, and its state at the last checkpoint. */
export class TrainerNumbers implements RunNumbers {
  columns = new Columns();
  readonly #events: EventNumbers;
  readonly #state: TrainerStateFile;
  #version = -1;

  /** @param events folders with its event files */
  constructor(root: RunRoot, output: string, events: () => readonly string[]) {
    this.#events = new EventNumbers(root, events);
    this.#state = new TrainerStateFile(root, output);
  }

  get faults(): string[] {
    return [...this.#state.faults, ...this.#events.faults];
  }

  get texts(): ReadonlyMap<string, string> {
    return this.#events.texts;
  }

  get firstTime(): number | null {
    return this.#events.firstTime;
  }

  get lastTime(): number | null {
    const times = [this.#events.lastTime, this.#state.state?.time].filter((one) => one != null);
    return times.length === 0 ? null : Math.max(...times);
  }

  get state(): TrainerState | null {
    return this.#state.state;
  }

  /** Whether it came to its end, which a Trainer records with its run time. */
  get finished(): boolean {
    const last = this.columns.lastStep;
    if (this.columns.get('train_runtime')?.steps.at(-1) === last && last !== null) return true;
    return this.state !== null && this.state.step === last && this.state.step === this.state.total;
  }

  update(): void {
    this.#events.update();
    const changed = this.#state.update();
    if (!changed && this.#version === this.#events.version) return;
    this.#version = this.#events.version;
    this.columns = this.#merged();
  }

  /** The state has more digits, and what was logged before the events that are left. */
  #merged(): Columns {
    const merged = this.#events.columns.copy();
    const { state } = this;
    if (state === null) return merged;
    const start = this.#events.lastStart;
    // A state from before the last start is only valid for the steps before it.
    const isCurrent = start === null || state.time >= start.time;
    for (const row of state.rows) if (isCurrent || row.step < start.step) merged.add(row);
    return merged;
  }
}
