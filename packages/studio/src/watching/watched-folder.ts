// The folder of runs that a server watches, which need not exist yet.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { WatchError } from './folders/watch-error.ts';
import { RunChanges } from './run-changes.ts';
import { RunWatcher, type WatcherOptions } from './run-watcher.ts';

/** Opens a folder of runs once it exists. */
export class WatchedFolder {
  readonly path: string;
  readonly changes: RunChanges;
  readonly #options: WatcherOptions;
  #watcher: RunWatcher | null = null;

  /** @param interval milliseconds between two looks at the list (default: 1000) */
  constructor(path: string, options: WatcherOptions = {}, interval?: number) {
    this.path = resolve(path);
    this.#options = options;
    this.changes = new RunChanges(() => this.list().runs, interval);
  }

  /** null: the folder does not exist. */
  get watcher(): RunWatcher | null {
    if (!existsSync(this.path)) this.#watcher = null;
    else this.#watcher ??= new RunWatcher(this.path, this.#options);
    return this.#watcher;
  }

  /** The runs; none while the folder does not exist. */
  list(): ReturnType<RunWatcher['list']> & { exists: boolean } {
    const { watcher } = this;
    const found = watcher?.list() ?? { runs: [], complete: true, unreadable: [] };
    return { ...found, exists: watcher !== null };
  }

  /** @throws WatchError while the folder does not exist */
  demand(): RunWatcher {
    const { watcher } = this;
    if (watcher === null) throw new WatchError('unknown', `${this.path}: there is no such folder`);
    return watcher;
  }
}
