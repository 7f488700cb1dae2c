import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../formats/default-model.ts';
import { readWeightMap } from '../formats/safetensors.ts';
import { writeAside } from '../formats/write-aside.ts';
import { type FileIdentity, fileIdentity, isSettled, shortHash } from './file-identity.ts';

// Below this size, reading the files takes negligible time.
const REMEMBERED_BYTES = 16e6;

interface Remembered {
  files: FileIdentity[];
  sha256: string;
}

export interface HashOptions {
  /** Keel's cache folder. */
  cache?: string;
  /** Hashes of files smaller than this in total are not cached. */
  rememberedBytes?: number;
  /** Milliseconds after its last change at which a file counts as finished. */
  settledAfter?: number;
}

/**
 * SHA-256, in hex, of the files' contents in this order. Hashes of large files are cached with the
 * files' sizes, inodes and times, and computed again when one of these changes.
 */
export async function hashFiles(
  paths: readonly string[],
  { cache = cacheFolder(), rememberedBytes = REMEMBERED_BYTES, settledAfter }: HashOptions = {},
): Promise<string> {
  const files = paths.map(fileIdentity);
  const place = join(cache, 'hashes', `${shortHash(...files.map(({ path }) => path))}.json`);
  const isLarge = files.reduce((sum, { size }) => sum + size, 0) >= rememberedBytes;
  const known = isLarge ? readRemembered(place) : null;
  if (known !== null && JSON.stringify(known.files) === JSON.stringify(files)) return known.sha256;
  const settled = paths.every((path) => isSettled(path, settledAfter));
  const hash = createHash('sha256');
  for (const path of paths) {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
      hash.update(chunk);
  }
  const sha256 = hash.digest('hex');
  const unchanged = JSON.stringify(paths.map(fileIdentity)) === JSON.stringify(files);
  if (isLarge && settled && unchanged) remember(place, { files, sha256 });
  return sha256;
}

function readRemembered(place: string): Remembered | null {
  try {
    const { files, sha256 } = JSON.parse(readFileSync(place, 'utf8')) as Partial<Remembered>;
    return files !== undefined && /^[0-9a-f]{64}$/.test(sha256 ?? '')
      ? { files, sha256: sha256! }
      : null;
  } catch {
    return null;
  }
}

/** If the cache is not writable, the next run reads the files again. */
function remember(place: string, found: Remembered): void {
  try {
    writeAside(place, (append) => append(new TextEncoder().encode(JSON.stringify(found))));
  } catch {}
}

/**
 * The files of a model folder that determine what the model computes: its configuration and its
 * weights.
 * @throws CheckpointError if the index is damaged
 */
export function modelFiles(folder: string): string[] {
  const single = join(folder, 'model.safetensors');
  const config = join(folder, 'config.json');
  if (existsSync(single)) return [config, single];
  const index = join(folder, 'model.safetensors.index.json');
  const shards = [...new Set(readWeightMap(index).map(([, shard]) => shard))].sort();
  return [config, index, ...shards.map((shard) => join(folder, shard))];
}
