// Which files a reward is read from: a run that goes on must find the same ones.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FileHash } from '../../data/open-rows.ts';
import { isSpec } from '../../rewards/open-reward.ts';
import { readRewardSpec } from '../../rewards/read-reward-spec.ts';

/**
 * Hashes of the files that `--reward` names: a module, what lies in the folder of a reward model, or a spec with the
 * modules and folders that it names; none of a rule. What a module imports is not looked at.
 * @throws ConfigError for a spec that is not as it must be
 */
export async function rewardFiles(reward: string): Promise<FileHash[]> {
  const hashes: FileHash[] = [];
  for (const name of namedBy(reward).flatMap(filesAt)) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(name), hash);
    hashes.push({ name, sha256: hash.digest('hex') });
  }
  return hashes;
}

function namedBy(reward: string): string[] {
  if (!isSpec(reward) || !existsSync(reward)) return [reward];
  const folder = dirname(reward);
  const parts = readRewardSpec(reward).rewards.flatMap((spec) => {
    switch (spec.type) {
      case 'function':
        return [spec.module];
      case 'model':
        return [spec.path].flat();
      case 'judge':
        return [spec.model, spec.adapter ?? []].flat();
      default:
        return [];
    }
  });
  return [reward, ...parts.map((part) => (isAbsolute(part) ? part : join(folder, part)))];
}

/** The files of a path: of a folder those that lie in it; none where there is no such path. */
function filesAt(named: string): string[] {
  const path = existsSync(named) ? named : named.replace(/#[^#/\\]*$/, '');
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path)
    .sort()
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile());
}
