// Files that options name, by content.
import { existsSync } from 'node:fs';
import { resolveModel } from '@keel/model';
import type { OptionInput } from '../config/options.ts';
import { hashPath } from '../data/hash-path.ts';
import type { FileHash } from '../data/open-rows.ts';
import { resolveFiles } from '../data/resolve-files.ts';
import { rewardFiles } from '../rewards/reward-files.ts';

/** Values of --reference that are not models. */
const noModel: readonly string[] = ['initial', 'none'];

/**
 * The files that an option's value names, in order; null if it names none.
 * @param reads the option's `reads`: what its value names
 * @throws DataError, Error if the rows or the model do not exist
 */
export async function inputFiles(
  reads: OptionInput | undefined,
  value: unknown,
): Promise<FileHash[] | null> {
  if (reads === undefined) return null;
  const values = (Array.isArray(value) ? value : [value]).filter(
    (one): one is string => typeof one === 'string' && one !== '',
  );
  if (values.length === 0) return null;
  const [first] = values as [string];
  switch (reads) {
    case 'rows':
      return Promise.all((await resolveFiles(values)).map((path) => hashed(path, path)));
    case 'model':
      return noModel.includes(first)
        ? null
        : Promise.all(values.map(async (one) => hashed(one, await resolveModel(one))));
    case 'reward': {
      const files = await rewardFiles(first);
      return files.length === 0 ? null : files;
    }
    case 'file':
    case 'folder': {
      const named = values.filter((one) => existsSync(one));
      return named.length === 0 ? null : Promise.all(named.map((path) => hashed(path, path)));
    }
  }
}

const hashed = async (name: string, path: string): Promise<FileHash> => ({
  name,
  sha256: await hashPath(path),
});
