// Finds the runs below a folder. It is called again and again, so folders that did not change are
// not read again.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { kindOf, type RunKind } from './kinds.ts';
import type { RunRoot } from './run-root.ts';

/** A run's folder. */
export interface FoundRun {
  id: string;
  path: string;
  kind: RunKind;
  /** When its folder changed, in milliseconds; NaN: just now, so that it may change again. */
  changed: number;
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

interface Listing {
  names: string[];
  folders: string[];
}

/** The runs below a root. */
export class RunFinder {
  readonly #root: RunRoot;
  #known = new Map<string, { changed: number; listing: Listing }>();

  constructor(root: RunRoot) {
    this.#root = root;
  }

  /**
   * Runs in the order of their ids. Symbolic links are not followed, so a run is found once.
   * @returns `complete` is false if there are more folders than a watcher reads
   */
  find(): { runs: FoundRun[]; complete: boolean } {
    const runs: FoundRun[] = [];
    const seen = new Map<string, { changed: number; listing: Listing }>();
    const queue = [{ path: this.#root.path, depth: 0 }];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (seen.size >= MOST_FOLDERS) return { runs: runs.sort(byId), complete: false };
      const { path, depth } = next;
      const found = this.#list(path);
      if (found === null) continue;
      seen.set(path, found);
      const { names, folders } = found.listing;
      const kind = kindOf(names);
      if (kind !== null)
        runs.push({ id: this.#root.idOf(path)!, path, kind, changed: found.changed });
      if (depth === DEEPEST) continue;
      for (const name of folders) {
        if (skipped.test(name) || (kind === 'tensorboard' && isHyperparameters(name))) continue;
        queue.push({ path: join(path, name), depth: depth + 1 });
      }
    }
    this.#known = seen;
    return { runs: runs.sort(byId), complete: true };
  }

  /** null for a folder that cannot be read, or is gone. */
  #list(path: string): { changed: number; listing: Listing } | null {
    try {
      const { mtimeMs } = statSync(path);
      const known = this.#known.get(path);
      if (known?.changed === mtimeMs) return known;
      const entries = readdirSync(path, { withFileTypes: true });
      const listing = {
        names: entries.map(({ name }) => name),
        folders: entries.filter((entry) => entry.isDirectory()).map(({ name }) => name),
      };
      // A folder that changed just now may change again with the same time.
      const settled = Date.now() - mtimeMs > CLOCK;
      return { changed: settled ? mtimeMs : Number.NaN, listing };
    } catch {
      return null;
    }
  }
}

/** Milliseconds: no file system's clock is coarser. */
export const CLOCK = 2000;

const byId = (a: FoundRun, b: FoundRun): number => (a.id < b.id ? -1 : 1);
