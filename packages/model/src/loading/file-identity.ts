import { createHash } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';

// A file system's clock may stand still for some milliseconds. A second write in that time would go
// unnoticed.
const SETTLED_MILLISECONDS = 2000;

/** Changes whenever a file's content does, and is determined without reading the file. */
export interface FileIdentity {
  /** The file's path, with links resolved. */
  path: string;
  size: number;
  /**
   * Device, inode, and the nanosecond times of the last change of content and of the inode. No
   * program can reset the last one.
   */
  version: string;
}

/** @throws the file system's error if there is no such file */
export function fileIdentity(path: string): FileIdentity {
  const real = realpathSync(path);
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(real, { bigint: true });
  return { path: real, size: Number(size), version: [dev, ino, mtimeNs, ctimeNs].join(' ') };
}

/** Whether the last change is long enough ago that any later change alters the identity. */
export function isSettled(path: string, milliseconds = SETTLED_MILLISECONDS): boolean {
  return Date.now() - Math.floor(statSync(path).ctimeMs) >= milliseconds;
}

/** A name for data that depends on these values: 16 hexadecimal digits. */
export const shortHash = (...values: readonly string[]): string =>
  createHash('sha256').update(values.join('\0')).digest('hex').slice(0, 16);
