// keel-origin.json in a model folder that `keel merge` wrote: what the weights were made from.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeJson } from './write-folder.ts';

const FILE = 'keel-origin.json';

/** What the weights of a folder were made from. */
export interface ModelOrigin {
  /** The base's name in Keel. */
  base: string;
  /** SHA-256 of the base's files. */
  baseSha256: string;
  /** SHA-256 of the merged adapter's files; null if the weights are the base's own. */
  adapterSha256: string | null;
  dtype: 'float32' | 'bfloat16' | 'float16';
}

/** Writes keel-origin.json. @throws FileError if the file system refuses */
export const writeModelOrigin = (folder: string, origin: ModelOrigin): void =>
  writeJson(join(folder, FILE), origin);

/** null if there is no such file, or it is damaged: nothing depends on it. */
export function readModelOrigin(folder: string): ModelOrigin | null {
  const path = join(folder, FILE);
  if (!existsSync(path)) return null;
  try {
    const found = JSON.parse(readFileSync(path, 'utf8')) as Partial<ModelOrigin>;
    return typeof found?.baseSha256 === 'string' ? (found as ModelOrigin) : null;
  } catch {
    return null;
  }
}
