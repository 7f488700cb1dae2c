import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileError } from './file-error.ts';

/**
 * Makes a folder and its missing parents. Node's own recursive `mkdirSync` never returns if the
 * system reports a folder as missing but does not allow creating it, as /proc does.
 * @throws FileError if the file system refuses
 */
export function makeFolder(path: string): void {
  try {
    make(path);
  } catch (error) {
    throw fileError(error, { path, use: 'written' });
  }
}

function make(path: string): void {
  if (makeOne(path)) return;
  make(dirname(path));
  // The parent exists now, so a second refusal is final. Another process may have made the folder
  // in the meantime.
  if (!makeOne(path)) mkdirSync(path);
}

/** @returns false if the parent is missing */
function makeOne(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // An existing path may be a folder, or a link to one.
    if (code === 'EEXIST' && isFolder(path)) return true;
    if (code === 'ENOENT' && dirname(path) !== path) return false;
    throw error;
  }
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
