// Limits the disk space of the weight cache, by removing entries.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readRecord, recordPath } from './weight-cache-entry.ts';

const DEFAULT_GIGABYTES = 20;
const DAY = 24 * 3600 * 1000;

/**
 * Bytes that the cache may take: KEEL_WEIGHT_CACHE in gigabytes (default: 20); `off` disables it.
 * @throws Error if the variable is neither
 */
export function cacheLimit(given = process.env.KEEL_WEIGHT_CACHE): number {
  if (given === undefined || given === '') return DEFAULT_GIGABYTES * 1e9;
  if (given === 'off') return 0;
  const gigabytes = Number(given);
  if (gigabytes >= 0) return gigabytes * 1e9;
  throw new Error(
    `KEEL_WEIGHT_CACHE is ${JSON.stringify(given)}, expected the maximum size of the cache of dequantised weights in gigabytes, or off`,
  );
}

/**
 * Removes entries until `needed` more bytes are within the limit: first those whose source is gone,
 * then the least recently used. Files left by killed writers are removed too. Processes that have
 * an entry mapped can still use it.
 */
export function makeRoom(
  folder: string,
  { limit, needed, except }: { limit: number; needed: number; except: string },
): void {
  if (!existsSync(folder)) return;
  const entries: { path: string; bytes: number; used: number }[] = [];
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    const isOld = Date.now() - stat.mtimeMs > DAY;
    if (name.endsWith('.partial') && isOld) rmSync(path, { force: true });
    if (!name.endsWith('.safetensors') || path === except) continue;
    const record = readRecord(path);
    // Another process may be about to write the record.
    if (record === null ? isOld : !existsSync(record.source.path)) remove(path);
    else {
      const used = statSync(recordPath(path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
      entries.push({ path, bytes: stat.size, used });
    }
  }
  entries.sort((a, b) => a.used - b.used);
  let total = entries.reduce((sum, { bytes }) => sum + bytes, needed);
  for (const { path, bytes } of entries) {
    if (total <= limit) return;
    remove(path);
    total -= bytes;
  }
}

function remove(path: string): void {
  rmSync(path, { force: true });
  rmSync(recordPath(path), { force: true });
}
