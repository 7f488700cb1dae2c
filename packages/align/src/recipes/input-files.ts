// Files that a stage's options name, by content.
import { existsSync } from 'node:fs';
import { resolveModel } from '@keel/model';
import type { OptionDescriptor } from '../config/options.ts';
import { hashPath } from '../data/hash-path.ts';
import type { FileHash } from '../data/open-rows.ts';
import { resolveFiles } from '../data/resolve-files.ts';
import { rewardFiles } from '../rewards/reward-files.ts';

/** Values of an option for a model that name none. */
const noModel: readonly string[] = ['initial', 'none'];

/**
 * The files that an option's value names, in order; null where it names none. Which options name
 * files is told by what their help calls the value: `path` (rows), `model`, `reward`, or one of
 * {@link plainFiles}.
 * @throws DataError, Error where rows or a model are named that are not there
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

/** Values that may be a file's or a folder's path. */
const plainFiles: readonly string[] = ['file', 'folder'];

const hashed = async (name: string, path: string): Promise<FileHash> => ({
  name,
  sha256: await hashPath(path),
});
