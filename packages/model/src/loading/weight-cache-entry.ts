// An entry of the weight cache: a safetensors file, and beside it a record of what it was made of.
import { closeSync, openSync, readFileSync, readSync, utimesSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { writeAside } from '../formats/write-aside.ts';
import { type FileIdentity, fileIdentity } from './file-identity.ts';

/** What stands beside an entry's weights. */
export interface EntryRecord {
  /** The file that they were made of. */
  source: FileIdentity;
  /** Of the code that made them, and of the model's configuration. */
  maker: string;
  /** The entry's own file when it was last known to be whole. */
  entry: FileIdentity;
  /** CRC-32 of the entry's whole file. */
  checksum: number;
}

/** Whether the entry was made of this file by this code, and is what was written then. */
export function isWhole(path: string, from: FileIdentity, maker: string): boolean {
  const record = readRecord(path);
  if (record === null || record.maker !== maker) return false;
  if (JSON.stringify(record.source) !== JSON.stringify(from)) return false;
  try {
    const entry = fileIdentity(path);
    if (entry.size !== record.entry.size) return false;
    if (entry.version !== record.entry.version) {
      // Touched since, or written by two processes at once: its content decides.
      if (checksum(path) !== record.checksum) return false;
      whereWritable(() => writeRecord(path, { ...record, entry }));
    }
    // The record's time is that of the last use: the longest unused entry makes room first.
    whereWritable(() => utimesSync(recordPath(path), new Date(), new Date()));
    return true;
  } catch {
    return false;
  }
}

/** Where the record of an entry stands. */
export const recordPath = (path: string): string => `${path}.json`;

export function readRecord(path: string): EntryRecord | null {
  try {
    const record = JSON.parse(readFileSync(recordPath(path), 'utf8')) as Partial<EntryRecord>;
    const isRecord = record.source && record.entry && typeof record.checksum === 'number';
    return isRecord ? (record as EntryRecord) : null;
  } catch {
    return null;
  }
}

export function writeRecord(path: string, record: EntryRecord): void {
  const text = `${JSON.stringify(record, null, 2)}\n`;
  writeAside(recordPath(path), (append) => append(new TextEncoder().encode(text)));
}

/** A cache that can only be read serves as well. */
function whereWritable(body: () => void): void {
  try {
    body();
  } catch {}
}

/** CRC-32 of a whole file. */
export function checksum(path: string): number {
  const buffer = Buffer.allocUnsafe(1 << 22);
  const descriptor = openSync(path, 'r');
  try {
    let sum = 0;
    for (;;) {
      const length = readSync(descriptor, buffer);
      if (length === 0) return sum;
      sum = crc32(buffer.subarray(0, length), sum);
    }
  } finally {
    closeSync(descriptor);
  }
}
