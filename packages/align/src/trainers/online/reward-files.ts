// Which files a reward is read from: a run that goes on must find the same ones.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FileHash } from '../../data/open-rows.ts';

/**
 * Hashes of the files that `--reward` names: a spec, a module, or what lies in the folder of a reward model; none of a rule.
 * What a spec or a module names in its turn is not looked at.
 */
export async function rewardFiles(reward: string): Promise<FileHash[]> {
  const path = existsSync(reward) ? reward : reward.replace(/#[^#/\\]*$/, '');
  if (!existsSync(path)) return [];
  const names = statSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .map((name) => join(path, name))
    : [path];
  const hashes: FileHash[] = [];
  for (const name of names) {
    if (!statSync(name).isFile()) continue;
    const hash = createHash('sha256');
    await pipeline(createReadStream(name), hash);
    hashes.push({ name, sha256: hash.digest('hex') });
  }
  return hashes;
}
