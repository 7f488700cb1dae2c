import { createHash } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';

// A clock of the file system may stand still for some milliseconds: a second write in them would go
// unseen.
const SETTLED_MILLISECONDS = 2000;

/** What changes whenever a file's content does, found without reading it. */
export interface FileIdentity {
  /** Without links. */
  path: string;
  size: number;
  /**
   * Device, inode, and nanoseconds of the last change of content and of the inode, which no program
   * can set back.
   */
  version: string;
}

/** @throws the file system's error where there is no such file */
export function fileIdentity(path: string): FileIdentity {
  const real = realpathSync(path);
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(real, { bigint: true });
  return { path: real, size: Number(size), version: [dev, ino, mtimeNs, ctimeNs].join(' ') };
}

/** Whether the file changed long enough ago that its identity tells a later change. */
export function isSettled(path: string, milliseconds = SETTLED_MILLISECONDS): boolean {
  return Date.now() - Math.floor(statSync(path).ctimeMs) >= milliseconds;
}

/** A name for what is kept of these values: 16 hexadecimal digits. */
export const shortHash = (...values: readonly string[]): string =>
  createHash('sha256').update(values.join('\0')).digest('hex').slice(0, 16);
