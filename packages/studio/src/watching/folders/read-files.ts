// Small files of a run's folder, read again only if they changed.
import { readdirSync, readFileSync, statSync } from 'node:fs';

/** Larger files are not read whole, in bytes. */
export const LARGEST = 64e6;

/** Parsed files by their paths, the least recently read ones removed. */
export class FileCache {
  readonly #most: number;
  readonly #files = new Map<string, { signature: string; value: unknown }>();

  constructor(most = 2000) {
    this.#most = most;
  }

  /**
   * The content of a file.
   * @param parse of its text, the same for every call with this path; what it throws counts as a
   *   damaged file
   * @returns null if there is no such file, or it is damaged
   */
  read<T>(path: string | null, parse: (text: string, path: string) => T): T | null {
    if (path === null) return null;
    const signature = signatureOf(path);
    if (signature === null) return null;
    const known = this.#files.get(path);
    this.#files.delete(path);
    const value = known?.signature === signature ? known.value : parsed(path, parse);
    this.#files.set(path, { signature, value });
    if (this.#files.size > this.#most) this.#files.delete(this.#files.keys().next().value!);
    return value as T | null;
  }
}

function parsed<T>(path: string, parse: (text: string, path: string) => T): T | null {
  try {
    if (statSync(path).size > LARGEST) return null;
    return parse(readFileSync(path, 'utf8'), path);
  } catch {
    return null;
  }
}

/** Names in a folder; none if it is gone, or cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Why a file or folder cannot be read, in a few words; null: there is none. */
export function whyUnreadable(error: unknown): string | null {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return null;
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to read it';
  return code === 'EISDIR' ? 'it is a folder' : message;
}

/** Differs if a file was written again. @returns null if there is no such file */
export function signatureOf(path: string): string | null {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino}-${size}-${mtimeMs}`;
  } catch {
    return null;
  }
}
