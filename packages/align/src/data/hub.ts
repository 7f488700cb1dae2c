import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { datasetInfo, downloadFile, HubApiError, listFiles } from '@huggingface/hub';
import { commitName, isCommit, safePath } from '@keel/model';
import { DataError } from './data-error.ts';
import { type HubFile, type HubSpec, parseHubSpec, selectHubFiles } from './hub-spec.ts';

export interface HubOptions {
  /**
   * Keel's cache folder (default: KEEL_CACHE, else ~/.cache/keel). Files are stored in its
   * `datasets` folder.
   */
  cacheFolder?: string;
  /** (default: HF_TOKEN) */
  token?: string;
  /** (default: HF_ENDPOINT, else the public hub) */
  endpoint?: string;
  /** Uses only the cache (default: true if HF_HUB_OFFLINE is 1). */
  offline?: boolean;
  /** Reports downloads, and the use of the cache when the hub cannot be reached. */
  log?: (message: string) => void;
  fetch?: typeof fetch;
}

interface Listing {
  commit: string;
  files: HubFile[];
}

/**
 * The local paths of a hub dataset's files. Files that are not in the cache are downloaded. The
 * cache stores files by commit, and the commit of each branch, so that a dataset that was used once
 * is available without a network.
 * @throws DataError that says what to do about a missing network, token or permission
 */
export const fetchHubFiles = async (spec: string, options: HubOptions = {}): Promise<string[]> => {
  const wanted = parseHubSpec(spec);
  const root = join(
    resolve(options.cacheFolder ?? (process.env.KEEL_CACHE || join(homedir(), '.cache', 'keel'))),
    'datasets',
    wanted.repository.replace('/', '--'),
  );
  const listing = await findListing(wanted, spec, root, options);
  const paths: string[] = [];
  for (const file of selectHubFiles(wanted, listing.files)) {
    paths.push(await fetchOne(wanted, spec, root, listing.commit, file, options));
  }
  return paths;
};

const connection = (spec: HubSpec, options: HubOptions) => ({
  repo: { type: 'dataset' as const, name: spec.repository },
  accessToken: options.token ?? process.env.HF_TOKEN ?? undefined,
  hubUrl: (options.endpoint ?? process.env.HF_ENDPOINT)?.replace(/\/$/, '') || undefined,
  fetch: options.fetch,
});

const isOffline = (options: HubOptions): boolean =>
  options.offline ??
  ['1', 'true', 'yes', 'on'].includes((process.env.HF_HUB_OFFLINE ?? '').toLowerCase());

const findListing = async (
  wanted: HubSpec,
  spec: string,
  root: string,
  options: HubOptions,
): Promise<Listing> => {
  const listingFile = join(root, 'refs', `${encodeURIComponent(wanted.revision)}.json`);
  if (isOffline(options)) {
    const listing = await readListing(listingFile);
    if (listing) return listing;
    throw unreachable(spec, 'HF_HUB_OFFLINE is set, and the dataset is not in the cache');
  }
  const hub = connection(wanted, options);
  try {
    const info = await datasetInfo({
      ...hub,
      name: wanted.repository,
      revision: wanted.revision,
      additionalFields: ['sha'],
    });
    const commit = commitName(info.sha, spec);
    const files: HubFile[] = [];
    for await (const entry of listFiles({ ...hub, recursive: true, revision: commit })) {
      if (entry.type === 'file') files.push({ path: entry.path, size: entry.size });
    }
    const listing = { commit, files };
    await mkdir(dirname(listingFile), { recursive: true });
    const aside = `${listingFile}.${process.pid}`;
    await writeFile(aside, JSON.stringify(listing));
    await rename(aside, listingFile);
    return listing;
  } catch (error) {
    if (error instanceof HubApiError && error.statusCode < 500) throw refused(spec, error);
    const listing = await readListing(listingFile);
    if (!listing) throw unreachable(spec, reasonOf(error), error);
    options.log?.(
      `${spec}: the hub cannot be reached (${reasonOf(error)}); using the cached commit ${listing.commit}`,
    );
    return listing;
  }
};

const readListing = async (path: string): Promise<Listing | undefined> => {
  try {
    const { commit, files } = JSON.parse(await readFile(path, 'utf8')) as Listing;
    return isCommit(commit) && Array.isArray(files) ? { commit, files } : undefined;
  } catch {
    return undefined;
  }
};

const fetchOne = async (
  wanted: HubSpec,
  spec: string,
  root: string,
  commit: string,
  file: HubFile,
  options: HubOptions,
): Promise<string> => {
  const folder = join(root, commit);
  const refuse = (fault: string): Error =>
    new DataError({
      file: spec,
      found: `the file ${JSON.stringify(file.path)} cannot be stored: ${fault}`,
    });
  const path = join(folder, safePath(file.path, refuse));
  if ((await sizeOf(path)) === file.size) return path;
  if (isOffline(options)) {
    throw unreachable(spec, `HF_HUB_OFFLINE is set, and ${file.path} is not in the cache`);
  }
  options.log?.(`downloading ${spec} ${file.path} (${(file.size / 1e6).toFixed(1)} MB)`);
  const aside = `${path}.${process.pid}.incomplete`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const hub = connection(wanted, options);
    const blob = await downloadFile({ ...hub, path: file.path, revision: commit });
    if (blob === null) throw new Error(`the hub lists ${file.path} but does not have it`);
    await pipeline(Readable.fromWeb(blob.stream() as ReadableStream), createWriteStream(aside));
    const size = await sizeOf(aside);
    if (size !== file.size)
      throw new Error(`${file.path}: received ${size} bytes instead of ${file.size}`);
    await rename(aside, path);
    return path;
  } catch (error) {
    if (error instanceof HubApiError && error.statusCode < 500) throw refused(spec, error);
    throw unreachable(spec, reasonOf(error), error);
  } finally {
    await rm(aside, { force: true });
  }
};

const sizeOf = async (path: string): Promise<number | undefined> => {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
};

// fetch puts the actual reason (ENOTFOUND, ECONNREFUSED) in the cause.
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${error.message}${cause}`;
};

const unreachable = (spec: string, reason: string, cause?: unknown): DataError =>
  new DataError(
    {
      file: spec,
      found: `the hub cannot be reached (${reason})`,
      advice:
        'Download the files on a machine with a network and pass their path, or set HF_ENDPOINT to a mirror',
    },
    { cause },
  );

const refused = (spec: string, error: HubApiError): DataError => {
  const advice =
    error.statusCode === 404
      ? 'Check the owner, name and revision. A private dataset also needs HF_TOKEN'
      : 'Set HF_TOKEN to a token of an account with access. For a gated dataset, first accept its terms on its page';
  const found = `the hub responded with status ${error.statusCode} (${error.message.split('. URL')[0]})`;
  return new DataError({ file: spec, found, advice }, { cause: error });
};
