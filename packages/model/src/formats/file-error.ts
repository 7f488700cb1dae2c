// The operating system's file errors, reworded so that a person can act on them.
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { freeBytes } from './free-bytes.ts';
import { soughtAt } from './sought-path.ts';

/** What was being done with the file. */
export type FileUse = 'read' | 'written' | 'opened' | 'removed';

interface Fault {
  what: string;
  advice: string;
}

const faults: Readonly<Record<string, Fault>> = {
  ENOSPC: { what: 'the disk is full', advice: 'Free some space, or use another disk' },
  EDQUOT: { what: 'your disk quota is used up', advice: 'Free some space, or use another disk' },
  EFBIG: {
    what: 'the file would exceed the largest size that this process or the file system allows',
    advice: 'Raise the limit (`ulimit -f unlimited`), or use another disk',
  },
  EROFS: { what: 'the file system is read-only', advice: 'Choose a writable folder' },
  EACCES: {
    what: 'permission denied',
    advice: 'Change the permissions, or choose a path that you have access to',
  },
  EPERM: {
    what: 'the system does not allow it',
    advice: 'Change the permissions, or choose a path that you have access to',
  },
  ENOENT: { what: 'there is no such file or folder', advice: 'Check the path' },
  EISDIR: { what: 'it is a folder, but a file is expected', advice: 'Pass the path of a file' },
  ENOTDIR: {
    what: 'a part of the path is a file, but a folder is expected',
    advice: 'Check the path',
  },
  EEXIST: { what: 'something with that name already exists', advice: 'Choose another path' },
  ENOTEMPTY: { what: 'the folder is not empty', advice: 'Choose another path' },
  EMFILE: {
    what: 'this process has too many files open',
    advice: 'Raise the limit (`ulimit -n 4096`)',
  },
  ENFILE: { what: 'the system has too many files open', advice: 'Close other programs' },
  EIO: {
    what: 'the disk reports an error',
    advice: 'Check the disk, and restore the file from a copy if it is damaged',
  },
  ENAMETOOLONG: { what: 'the name is too long', advice: 'Choose a shorter path' },
  ELOOP: { what: 'its symbolic links form a loop', advice: 'Fix the links' },
  EBUSY: { what: 'something else is using it', advice: 'Wait, or choose another path' },
  ETXTBSY: { what: 'it is a running program', advice: 'Choose another path' },
  ESTALE: { what: 'the network drive has lost it', advice: 'Mount the drive again' },
  ENXIO: { what: 'it is a device or a socket', advice: 'Pass the path of a regular file' },
  ENODEV: { what: 'it is on no usable device', advice: 'Check the path' },
  EPIPE: { what: 'its reader has closed it', advice: 'Keep the reader open' },
};

/** What a system error means, and what to do about it. */
export const faultOf = (code: string): Readonly<Fault> =>
  faults[code] ?? {
    what: `the system reports ${code}`,
    advice: 'Check the path and the disk',
  };

/**
 * The operating system failed to read or write a file. The message says which file, why, and what
 * to do.
 */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly path: string;
  /** The system's name for the error, such as ENOSPC. */
  readonly code: string;
  readonly use: FileUse;
  /** Bytes that were to be written, if known. */
  readonly bytes: number | undefined;
  /** The message without its path. */
  readonly reason: string;

  constructor(
    { path, code, use, bytes }: Pick<FileError, 'path' | 'code' | 'use' | 'bytes'>,
    options?: ErrorOptions,
  ) {
    const { what, advice } = faultOf(code);
    const more = sizes(path, code, bytes) + whereabouts(path, code);
    const reason = `${what}${more}. ${advice}`;
    super(`${path}: cannot be ${use}: ${reason}.`, options);
    this.reason = reason;
    this.path = path;
    this.code = code;
    this.use = use;
    this.bytes = bytes;
  }
}

/**
 * Turns a system error about a file into a FileError. Any other value is returned unchanged.
 * @param about `path`: the file to name instead of the one that the system call used, such as a
 *   temporary one
 */
export function fileError(
  error: unknown,
  about: { path?: string; use?: FileUse; bytes?: number } = {},
): unknown {
  if (error instanceof FileError) {
    if (about.path === undefined || about.path === error.path) return error;
    return new FileError({ ...partsOf(error), path: about.path }, { cause: error.cause });
  }
  const { code, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (!(error instanceof Error) || typeof code !== 'string' || syscall === undefined) return error;
  const named = about.path ?? path;
  if (named === undefined || !(code in faults)) return error;
  const use = about.use ?? usual[syscall] ?? 'opened';
  return new FileError({ path: named, code, use, bytes: about.bytes }, { cause: error });
}

/** The same error for a file whose path started with `from`, naming its final place instead. */
export function movedFileError(error: unknown, from: string, to: string): unknown {
  if (!(error instanceof FileError) || !error.path.startsWith(from)) return error;
  return fileError(error, { path: to + error.path.slice(from.length) });
}

const partsOf = ({ path, code, use, bytes }: FileError) => ({ path, code, use, bytes });

const usual: Readonly<Record<string, FileUse>> = {
  read: 'read',
  scandir: 'read',
  stat: 'read',
  lstat: 'read',
  readlink: 'read',
  write: 'written',
  mkdir: 'written',
  mkdtemp: 'written',
  rename: 'written',
  link: 'written',
  fsync: 'written',
  copyfile: 'written',
  ftruncate: 'written',
  unlink: 'removed',
  rmdir: 'removed',
  rm: 'removed',
};

/** Where a missing path was looked for, or which part of a path is a file. */
function whereabouts(path: string, code: string): string {
  if (code === 'ENOENT') return soughtAt(path);
  const file = code === 'ENOTDIR' ? fileAbove(path) : null;
  return file === null ? '' : ` (${file} is a file)`;
}

/** The part of a path that is a file, although the path continues below it. */
function fileAbove(path: string): string | null {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      if (statSync(folder).isDirectory()) return null;
      return folder;
    } catch {
      if (folder === dirname(folder)) return null;
    }
  }
}

/** Bytes needed and bytes free, if the disk is full. */
function sizes(path: string, code: string, bytes: number | undefined): string {
  if (code !== 'ENOSPC' && code !== 'EFBIG' && code !== 'EDQUOT') return '';
  const free = code === 'ENOSPC' ? freeBytes(path) : null;
  const parts = [
    ...(bytes === undefined ? [] : [`${bytes.toLocaleString('en')} bytes needed`]),
    ...(free === null ? [] : [`${free.toLocaleString('en')} bytes free`]),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
