// The folder below which runs are watched. Nothing outside it is read: names come from a browser.
import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { WatchError } from './watch-error.ts';

/** The id of a run in the root folder itself. */
export const ROOT_ID = '.';

/** A folder of runs. A run's id is its path below it, with `/` between names. */
export class RunRoot {
  /** Without symbolic links. */
  readonly path: string;

  /** @throws WatchError if it is not a folder that can be read */
  constructor(path: string) {
    let real: string | null = null;
    try {
      real = realpathSync(path);
    } catch {}
    if (real === null || !statSync(real).isDirectory()) {
      throw new WatchError(
        'unknown',
        `${path}: is not a folder. Pass the folder that contains your runs, for example --runs runs`,
      );
    }
    this.path = real;
  }

  /**
   * The folder of an id, without symbolic links.
   * @throws WatchError if there is none, or it is outside the root
   */
  folder(id: string): string {
    if (!isId(id)) {
      throw new WatchError('invalid', `${JSON.stringify(id)} is not the id of a run`);
    }
    const path = this.#inside(join(this.path, ...id.split('/')));
    if (path === null || !statSync(path).isDirectory()) throw noRun(id);
    return path;
  }

  /**
   * A file or folder in a run's folder, without symbolic links.
   * @param folder as {@link folder} returns it
   * @returns null if there is none, or it is outside the root
   */
  within(folder: string, name: string): string | null {
    const path = join(folder, name);
    let entry: Stats | undefined;
    try {
      entry = lstatSync(path, { throwIfNoEntry: false });
    } catch {
      // A folder without permission.
    }
    if (entry === undefined) return null;
    // A folder without links has no links above its entries.
    return entry.isSymbolicLink() || /[/\\]/.test(name) ? this.#inside(path) : path;
  }

  /** The id of a folder. @returns null outside the root */
  idOf(path: string): string | null {
    const from = relative(this.path, path);
    if (from === '') return ROOT_ID;
    if (from === '..' || from.startsWith(`..${sep}`) || isAbsolute(from)) return null;
    return from.split(sep).join('/');
  }

  #inside(path: string): string | null {
    let real: string;
    try {
      real = realpathSync.native(path);
    } catch {
      return null;
    }
    return this.idOf(real) === null ? null : real;
  }
}

/** What is thrown for an id without a run. */
export const noRun = (id: string): WatchError =>
  new WatchError('unknown', `${id}: there is no such run. It may have been moved or removed`);

function isId(id: unknown): id is string {
  if (typeof id !== 'string' || id.includes('\0') || isAbsolute(id)) return false;
  return (
    id === ROOT_ID ||
    id
      .split('/')
      .every((name) => name !== '' && name !== '.' && name !== '..' && !hasSeparator(name))
  );
}

/** On Windows, `\` separates names, too. */
const hasSeparator = (name: string): boolean => sep === '\\' && /[\\:]/.test(name);
