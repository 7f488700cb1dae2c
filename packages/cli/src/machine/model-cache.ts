import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cachedDefaultModel, cacheFolder, defaultModel } from '@keel/model/without-torch';

/** Files that Keel caches outside the clone. */
export interface ModelCache {
  path: string;
  /** Bytes of all files in it, including LibTorch. */
  bytes: number;
  /** The default model: complete with the right hash, damaged, or not downloaded. */
  defaultModel: 'whole' | 'damaged' | 'absent';
  /** Where it is, or would be. */
  defaultModelPath: string;
}

export async function inspectModelCache(): Promise<ModelCache> {
  const path = cacheFolder();
  const defaultModelPath = join(path, 'models', defaultModel.fileName);
  return {
    path,
    bytes: folderBytes(path),
    defaultModel: await state(defaultModelPath),
    defaultModelPath,
  };
}

async function state(path: string): Promise<ModelCache['defaultModel']> {
  if (!existsSync(path)) return 'absent';
  if (cachedDefaultModel() === null) return 'damaged';
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex') === defaultModel.sha256 ? 'whole' : 'damaged';
}

function folderBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // Another process may remove a file meanwhile.
    bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
