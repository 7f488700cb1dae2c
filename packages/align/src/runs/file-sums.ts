// Sizes and checksums of the files in a folder.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { FileError, fileError } from '@keel/model';

export interface FileSum {
  bytes: number;
  /** SHA-256 in hexadecimal. */
  sha256: string;
}

/** By path in the folder, in alphabetical order. */
export type FileSums = Record<string, FileSum>;

/** @throws FileError if a file cannot be read */
export async function sumFiles(folder: string): Promise<FileSums> {
  const names: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) names.push(relative(folder, join(entry.parentPath, entry.name)));
  }
  return Object.fromEntries(names.sort().map((name) => [name, sumFile(join(folder, name))]));
}

/** @throws FileError if the file cannot be read */
export function sumFile(path: string): FileSum {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 22);
  try {
    const descriptor = openSync(path, 'r');
    try {
      let bytes = 0;
      for (;;) {
        const count = readSync(descriptor, buffer);
        if (count === 0) return { bytes, sha256: hash.digest('hex') };
        hash.update(buffer.subarray(0, count));
        bytes += count;
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw fileError(error, { path, use: 'read' });
  }
}

/**
 * The fault of a file, in words that follow its path; null if its content matches its checksum.
 */
export function fileFault(path: string, expected: FileSum): string | null {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return 'is missing';
    if (!stat.isFile()) return 'is not a regular file';
    if (stat.size !== expected.bytes) return `has ${stat.size} bytes instead of ${expected.bytes}`;
    if (sumFile(path).sha256 !== expected.sha256) return 'has changed since it was written';
    return null;
  } catch (error) {
    const known = fileError(error, { path, use: 'read' });
    if (known instanceof FileError) return `cannot be read: ${known.reason}`;
    throw error;
  }
}
