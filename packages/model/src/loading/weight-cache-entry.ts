// An entry of the weight cache: a safetensors file, and a record of its source next to it.
import { closeSync, openSync, readFileSync, readSync, utimesSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { writeAside } from '../formats/write-aside.ts';
import { type FileIdentity, fileIdentity } from './file-identity.ts';

/** The record next to an entry's weights. */
export interface EntryRecord {
  /** The file that the weights came from. */
  source: FileIdentity;
  /** Version of the code that made them, with a hash of the model's configuration. */
  maker: string;
  /** The entry's own file when it was last known to be complete. */
  entry: FileIdentity;
  /** CRC-32 of the entry's whole file. */
  checksum: number;
}

/** Whether the entry was made from this file by this code, and is unchanged since then. */
export function isWhole(path: string, from: FileIdentity, maker: string): boolean {
  const record = readRecord(path);
  if (record === null || record.maker !== maker) return false;
  if (JSON.stringify(record.source) !== JSON.stringify(from)) return false;
  try {
    const entry = fileIdentity(path);
    if (entry.size !== record.entry.size) return false;
    if (entry.version !== record.entry.version) {
      // Touched since then, or written by two processes at once: the content decides.
      if (checksum(path) !== record.checksum) return false;
      whereWritable(() => writeRecord(path, { ...record, entry }));
    }
    // The record's modification time is the time of last use, by which old entries are evicted.
    whereWritable(() => utimesSync(recordPath(path), new Date(), new Date()));
    return true;
  } catch {
    return false;
  }
}

/** Path of an entry's record. */
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

/** Failing to write is fine: a read-only cache is still usable. */
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
