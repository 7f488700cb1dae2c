// Finds the runs below a folder. It is called again and again, so folders that did not change are
// not read again.
import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isEventFile, kindOf, type RunKind } from './kinds.ts';
import { whyUnreadable } from './read-files.ts';
import type { RunRoot } from './run-root.ts';
import { isTrainerFolder } from './trainer-folder.ts';

/** A run's folder. */
export interface FoundRun {
  id: string;
  path: string;
  kind: RunKind;
  /** When its folder changed, in milliseconds; NaN: just now, so that it may change again. */
  changed: number;
  /** Folders with the TensorBoard events of the run, of other trainers. */
  events: string[];
}

/** What is below a root. */
export interface FoundRuns {
  /** In the order of their ids. */
  runs: FoundRun[];
  /** Folders of events that are part of another run, by their ids: the id of that run. */
  parts: ReadonlyMap<string, string>;
  /** false: there are more folders than a watcher reads. */
  complete: boolean;
  /** Ids of folders that cannot be read, so that their runs are not found. */
  unreadable: string[];
}

/** Most levels of folders below the root. */
const DEEPEST = 8;
/** Most folders that are read. */
const MOST_FOLDERS = 20_000;

/** Folders without runs of their own, some of them large. */
const skipped =
  /^(\..*|node_modules|checkpoints|checkpoint-\d+|best|final|merged|discriminator|rollout-adapters)$/;

/** TensorBoard's hyperparameters are in a folder that is named by the time. */
const isHyperparameters = (name: string): boolean => /^\d+\.\d+$/.test(name);

/** Whether events in its folder are its numbers, and not a copy of them. */
const hasEvents = (kind: RunKind | null): boolean => kind === 'trainer' || kind === 'tensorboard';

interface Listing {
  names: string[];
  folders: string[];
}

interface KnownFolder {
  /** As in {@link FoundRun}. */
  changed: number;
  /** When its entries or its permissions changed. */
  modes: number;
  listing: Listing;
}

/** The runs below a root. */
export class RunFinder {
  readonly #root: RunRoot;
  #known = new Map<string, KnownFolder>();

  constructor(root: RunRoot) {
    this.#root = root;
  }

  /** All runs. Symbolic links are not followed, so a run is found once. */
  find(): FoundRuns {
    const runs: FoundRun[] = [];
    let complete = true;
    const unreadable: string[] = [];
    const seen = new Map<string, KnownFolder>();
    const queue = [{ path: this.#root.path, depth: 0 }];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (seen.size >= MOST_FOLDERS) {
        complete = false;
        break;
      }
      const { path, depth } = next;
      const found = this.#list(path);
      if (found === 'gone') continue;
      if (found === 'unreadable') {
        unreadable.push(this.#root.idOf(path)!);
        continue;
      }
      seen.set(path, found);
      const { names, folders } = found.listing;
      const kind = this.#confirmed(kindOf(names), path, names);
      if (kind !== null) {
        const events = hasEvents(kind) && names.some(isEventFile) ? [path] : [];
        runs.push({ id: this.#root.idOf(path)!, path, kind, changed: found.changed, events });
      }
      if (depth === DEEPEST) continue;
      for (const name of folders) {
        if (skipped.test(name) || (hasEvents(kind) && isHyperparameters(name))) continue;
        queue.push({ path: join(path, name), depth: depth + 1 });
      }
    }
    this.#known = seen;
    return { ...withEvents(runs), complete, unreadable };
  }

  /** A folder is a Trainer's only if a checkpoint has its state. */
  #confirmed(kind: RunKind | null, path: string, names: readonly string[]): RunKind | null {
    if (kind !== 'trainer' || isTrainerFolder(this.#root, path, names)) return kind;
    return names.some(isEventFile) ? 'tensorboard' : null;
  }

  #list(path: string): KnownFolder | 'gone' | 'unreadable' {
    try {
      const { mtimeMs, ctimeMs: modes } = statSync(path);
      const known = this.#known.get(path);
      if (known?.changed === mtimeMs && known.modes === modes) return known;
      accessSync(path, constants.R_OK | constants.X_OK);
      const entries = readdirSync(path, { withFileTypes: true });
      const listing = {
        names: entries.map(({ name }) => name),
        folders: entries.filter((entry) => entry.isDirectory()).map(({ name }) => name),
      };
      // A folder that changed just now may change again with the same time.
      const settled = Date.now() - mtimeMs > CLOCK;
      return { changed: settled ? mtimeMs : Number.NaN, modes, listing };
    } catch (error) {
      return whyUnreadable(error) === null ? 'gone' : 'unreadable';
    }
  }
}

/** Levels below a Trainer's folder at which its events may be: `runs/TIME_HOST`. */
const EVENT_LEVELS = 2;

/** A Trainer's folder and its folders of events are one run: each start of it makes another. */
function withEvents(found: readonly FoundRun[]): Pick<FoundRuns, 'runs' | 'parts'> {
  const trainers = new Map(
    found.flatMap((run) => (run.kind === 'trainer' ? [[run.path, run] as const] : [])),
  );
  const parts = new Map<string, string>();
  const runs = found.filter((run) => {
    if (run.kind !== 'tensorboard') return true;
    let above = run.path;
    for (let level = 0; level < EVENT_LEVELS; level++) {
      above = dirname(above);
      const trainer = trainers.get(above);
      if (trainer === undefined) continue;
      trainer.events.push(run.path);
      parts.set(run.id, trainer.id);
      return false;
    }
    return true;
  });
  return { runs: runs.sort(byId), parts };
}

/** Milliseconds: no file system's clock is coarser. */
export const CLOCK = 2000;

const byId = (a: FoundRun, b: FoundRun): number => (a.id < b.id ? -1 : 1);
