import type { Stats } from 'node:fs';
import { glob, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError, hubSuggestion, soughtAt } from '@keel/model';
import { DataError } from './data-error.ts';
import { dataFileEndings, formatOf } from './file-formats.ts';
import { fetchHubFiles, type HubOptions } from './hub.ts';
import { isHubSpec } from './hub-spec.ts';

/**
 * The files that the specs select, in a fixed order: a file itself, the data files in a folder (not
 * in its subfolders), the matches of a glob, the downloaded files of a hub dataset.
 * @throws DataError if a spec selects nothing, or if a file's ending is not supported
 */
export const resolveFiles = async (specs: string[], hub: HubOptions = {}): Promise<string[]> => {
  const files: string[] = [];
  for (const spec of specs) {
    const found = isHubSpec(spec) ? await fetchHubFiles(spec, hub) : await localFiles(spec);
    for (const file of found) {
      // With overlapping globs, a file would be trained on twice.
      if (!files.includes(file)) files.push(file);
    }
  }
  return files;
};

const localFiles = async (spec: string): Promise<string[]> => {
  const entry = await entryAt(spec);
  if (entry?.isDirectory()) {
    const names = await readdir(spec);
    const data = names.filter((name) => !name.startsWith('.') && formatOf(name) !== null).sort();
    if (data.length === 0) throw nothing(spec, 'a folder without such files');
    refuseSplits(spec, data);
    return regular(data.map((name) => join(spec, name)));
  }
  if (entry !== undefined) {
    refuseStream(spec, entry);
    if (formatOf(spec) === null) throw nothing(spec, 'an unsupported ending');
    return [spec];
  }
  if (!/[*?[{]/.test(spec)) {
    const hub = formatOf(spec) === null ? hubSuggestion(spec) : null;
    const advice =
      hub === null ? undefined : `For the dataset on the Hugging Face Hub, pass ${hub}`;
    throw new DataError({
      file: spec,
      found: `there is no such file or folder${soughtAt(spec)}`,
      ...(advice && { advice }),
    });
  }
  const matches = await Array.fromAsync(glob(spec));
  const data = matches.filter((path) => formatOf(path) !== null).sort();
  if (data.length === 0) {
    throw nothing(spec, matches.length === 0 ? 'no matching file' : matches.join(', '));
  }
  return regular(data);
};

/** Names of files with rows for training, and of files with rows that are held out. */
const splits: readonly RegExp[] = [
  /(^|[^a-z])train(ing)?([^a-z]|$)/i,
  /(^|[^a-z])(test|validation|valid|val|dev|eval|held[-_]?out)([^a-z]|$)/i,
];

/**
 * A folder with rows for training and held-out rows: nobody wants to train on both.
 * @throws DataError naming a file of each
 */
const refuseSplits = (folder: string, names: readonly string[]): void => {
  const [training, heldOut] = splits.map((split) => names.find((name) => split.test(name)));
  if (training === undefined || heldOut === undefined) return;
  throw new DataError({
    file: folder,
    expected: 'a folder with the rows of one split',
    found: `${training} and ${heldOut}`,
    advice: `Name the files: ${join(folder, training)}`,
  });
};

/** @throws DataError if one of them is not a regular file */
const regular = async (paths: string[]): Promise<string[]> => {
  for (const path of paths) {
    const entry = await entryAt(path);
    if (entry !== undefined && !entry.isDirectory()) refuseStream(path, entry);
  }
  return paths;
};

/** @throws FileError if this process has no permission to look */
const entryAt = async (spec: string): Promise<Stats | undefined> => {
  try {
    return await stat(spec);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    throw fileError(error, { path: spec, use: 'read' });
  }
};

/** @throws DataError if opening would wait for a writer, or reading would never end */
const refuseStream = (spec: string, entry: Stats): void => {
  if (entry.isFile()) return;
  const found = entry.isFIFO() ? 'a named pipe' : entry.isSocket() ? 'a socket' : 'a device';
  throw new DataError({
    file: spec,
    expected: 'a regular file',
    found,
    advice: 'Rows are read more than once: save them to a file first',
  });
};

const nothing = (spec: string, found: string): DataError =>
  new DataError({ file: spec, expected: `files ending in ${dataFileEndings.join(', ')}`, found });
