// The files that a stage's options name, with hashes of their content.
import { existsSync } from 'node:fs';
import { resolveModel } from '@keel/model';
import type { OptionDescriptor } from '../config/options.ts';
import { hashPath } from '../data/hash-path.ts';
import type { FileHash } from '../data/open-rows.ts';
import { resolveFiles } from '../data/resolve-files.ts';
import { rewardFiles } from '../rewards/reward-files.ts';

/** Values of a model option that do not name a model. */
const noModel: readonly string[] = ['initial', 'none'];

/**
 * The files that an option's value names, in order; null if it names none. An option names files if
 * its help calls the value `path` (rows), `model`, `reward`, or one of {@link plainFiles}.
 * @throws DataError, Error if named rows or a named model do not exist
 */
export async function inputFiles(
  { value: kind = '' }: Pick<OptionDescriptor, 'value'>,
  value: unknown,
): Promise<FileHash[] | null> {
  const values = (Array.isArray(value) ? value : [value]).filter(
    (one): one is string => typeof one === 'string' && one !== '',
  );
  if (values.length === 0) return null;
  if (kind === 'path') {
    return Promise.all((await resolveFiles(values)).map((path) => hashed(path, path)));
  }
  if (kind === 'model') {
    const [name] = values as [string];
    return noModel.includes(name) ? null : [await hashed(name, await resolveModel(name))];
  }
  if (kind === 'reward') {
    const files = await rewardFiles(values[0]!);
    return files.length === 0 ? null : files;
  }
  const named = plainFiles.includes(kind) ? values.filter((one) => existsSync(one)) : [];
  return named.length === 0 ? null : Promise.all(named.map((path) => hashed(path, path)));
}

/** Names of values that may be the path of a file or folder. */
const plainFiles: readonly string[] = ['file', 'folder'];

const hashed = async (name: string, path: string): Promise<FileHash> => ({
  name,
  sha256: await hashPath(path),
});
