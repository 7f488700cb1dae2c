import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** SHA-256, in hex, of the files' contents in this order. */
export async function hashFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  }
  return hash.digest('hex');
}

/** The files of a model folder that say what the model computes: its configuration and its weights. */
export function modelFiles(folder: string): string[] {
  const single = join(folder, 'model.safetensors');
  const config = join(folder, 'config.json');
  if (existsSync(single)) return [config, single];
  const index = join(folder, 'model.safetensors.index.json');
  const { weight_map } = JSON.parse(readFileSync(index, 'utf8')) as {
    weight_map: Record<string, string>;
  };
  const shards = [...new Set(Object.values(weight_map))].sort();
  return [config, index, ...shards.map((shard) => join(folder, shard))];
}
