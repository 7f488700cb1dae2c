import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileError } from './file-error.ts';

/**
 * Makes a folder and those above it. Node's own recursive `mkdirSync` never returns where the
 * system claims that a folder does not exist and does not let it be made either, as /proc does.
 * @throws FileError when the file system refuses
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
  // The folder above is there now, so a second refusal is final. Another process may have been
  // faster.
  if (!makeOne(path)) mkdirSync(path);
}

/** @returns false where the folder above is missing */
function makeOne(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // What is there already may be a folder, or a link to one.
    if (code === 'EEXIST' && isFolder(path)) return true;
    if (code === 'ENOENT' && dirname(path) !== path) return false;
    throw error;
  }
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
