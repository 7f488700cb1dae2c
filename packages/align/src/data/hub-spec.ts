import { DataError } from './data-error.ts';
import { dataFileEndings, type FileFormat, formatOf } from './file-formats.ts';

/** `hub:owner/name[@revision][/path][:split]`: the path is a file or a folder of the repository. */
export interface HubSpec {
  repository: string;
  /** A branch, tag or commit. */
  revision: string;
  path?: string;
  split?: string;
}

const shape =
  /^hub:(?<repository>[\w.-]+\/[\w.-]+)(?:@(?<revision>refs\/(?:convert|pr)\/[\w.-]+|[^:/@]+))?(?:\/(?<path>[^:]+))?(?::(?<split>[\w.-]+))?$/;

export const isHubSpec = (spec: string): boolean => spec.startsWith('hub:');

/** @throws DataError that shows the expected form */
export const parseHubSpec = (spec: string): HubSpec => {
  const groups = shape.exec(spec)?.groups;
  if (groups?.repository === undefined) {
    throw new DataError({
      file: spec,
      expected: 'hub:owner/name, then optionally @revision, /path of a file or folder, and :split',
      found: `"${spec}"`,
      advice: 'Example: hub:trl-lib/ultrafeedback_binarized:train',
    });
  }
  const { repository, revision = 'main', path, split } = groups;
  return { repository, revision, path: path?.replace(/\/$/, ''), split };
};

export interface HubFile {
  path: string;
  size: number;
}

// Names of the splits in file and folder names of repositories.
const splitNames: Record<string, string[]> = {
  train: ['train', 'training'],
  test: ['test', 'testing', 'eval', 'evaluation'],
  validation: ['validation', 'valid', 'dev', 'val'],
};

const filesOfSplit = (files: HubFile[], split: string): HubFile[] => {
  const names = Object.values(splitNames).find((group) => group.includes(split)) ?? [split];
  const word = `(${names.map(literally).join('|')})`;
  // `train_prefs` is a different split from `train`, unless there is no plain `train`.
  const whole = new RegExp(`(^|[/.-])${word}($|[/.-])`, 'i');
  const part = new RegExp(`(^|[/_.-])${word}($|[/_.-])`, 'i');
  const exact = files.filter(({ path }) => whole.test(path));
  return exact.length > 0 ? exact : files.filter(({ path }) => part.test(path));
};

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const preference: FileFormat[] = ['parquet', 'jsonl', 'json', 'csv', 'tsv'];

/**
 * The repository files that a spec selects: those of its path and split (default: the training
 * split), in the first format of `preference` that the repository has.
 * @throws DataError if there is none, or if several configurations would be mixed
 */
export const selectHubFiles = (spec: HubSpec, files: HubFile[]): HubFile[] => {
  const file = `hub:${spec.repository}`;
  const data = files.filter(({ path }) => formatOf(path) !== null);
  if (data.length === 0) {
    throw new DataError({
      file,
      expected: `files ending in ${dataFileEndings.join(', ')}`,
      found: files.length === 0 ? 'no files' : `only ${names(files)}`,
      advice: 'The hub often has a converted copy: add @refs/convert/parquet',
    });
  }
  const { path } = spec;
  const inPath =
    path === undefined
      ? data
      : data.filter((entry) => entry.path === path || entry.path.startsWith(`${path}/`));
  if (inPath.length === 0) {
    throw new DataError({ file, expected: `the file or folder ${path}`, found: names(data) });
  }
  if (path !== undefined && inPath.length === 1 && inPath[0]!.path === path) return inPath;

  let chosen = filesOfSplit(inPath, spec.split ?? 'train');
  if (chosen.length === 0 && spec.split === undefined) {
    const named = Object.keys(splitNames).some((split) => filesOfSplit(inPath, split).length > 0);
    if (!named) chosen = inPath;
  }
  if (chosen.length === 0) {
    throw new DataError({
      file,
      expected: `files of the split "${spec.split ?? 'train'}"`,
      found: names(inPath),
      advice: 'Name the split (hub:owner/name:split) or the file (hub:owner/name/path)',
    });
  }
  const format = preference.find((wanted) =>
    chosen.some((entry) => formatOf(entry.path)?.format === wanted),
  );
  const selected = chosen.filter((entry) => formatOf(entry.path)?.format === format);
  const groups = new Set(selected.map((entry) => configurationOf(entry.path)));
  if (groups.size > 1) {
    throw new DataError({
      file,
      expected: 'the files of one configuration',
      found: `several: ${names(selected)}`,
      advice:
        'Name the one you want: hub:owner/name/folder, hub:owner/name/path/file or a more specific :split',
    });
  }
  return selected.sort((a, b) => (a.path < b.path ? -1 : 1));
};

// Shards of one table differ only in their numbers.
const configurationOf = (path: string): string =>
  path.replace(/[-_.]?\d{1,6}(-of-\d{1,6})?(-[0-9a-f]{8,})?(?=\.[a-z.]+$)/i, '');

const names = (files: HubFile[]): string => {
  const shown = files.slice(0, 8).map(({ path }) => path);
  return `${shown.join(', ')}${files.length > 8 ? ` and ${files.length - 8} more` : ''}`;
};
