// Models of the hub, in Keel's cache: `hub/<owner>--<name>/<commit>` contains a commit's files, and
// `refs` records what a branch or tag last pointed at. A reference is written once all its files
// are there, so it names a complete snapshot.
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { downloadFile, HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import { cacheFolder } from '../formats/default-model.ts';
import { safePath } from '../formats/safe-name.ts';
import { shownLine } from '../formats/shown-text.ts';
import { asidePath, writeAside } from '../formats/write-aside.ts';
import { commitName, isCommit } from './hub-commit.ts';
import { parseHubName } from './hub-name.ts';
import { type HubFile, modelFilesOf, NotAModel } from './model-files.ts';

export interface HubModelOptions {
  /** Keel's cache folder (default: KEEL_CACHE, else ~/.cache/keel). */
  cacheDir?: string;
  /** Access token (default: HF_TOKEN). */
  token?: string;
  /** URL of the hub (default: HF_ENDPOINT, else the public hub). */
  endpoint?: string;
  /** Use only the cache (default: whether HF_HUB_OFFLINE is set). */
  offline?: boolean;
  /**
   * Receives what is downloaded, and when a cached commit is used because the hub cannot be reached
   * (default: prints a line to stderr).
   */
  log?: (line: string) => void;
  fetch?: typeof fetch;
}

interface Snapshot {
  commit: string;
  files: HubFile[];
}

interface Request {
  spec: string;
  repository: string;
  revision: string;
  /** Folder of the repository in the cache. */
  folder: string;
  options: HubModelOptions;
}

/**
 * Folder of a hub model's files. Files that the cache lacks are downloaded, all from the commit
 * that the revision names now. If the hub cannot be reached, the commit that it named last is used.
 * @param spec `hub:owner/name` (its main branch), or `hub:owner/name@revision` with a branch, tag
 *   or commit
 * @throws Error saying what to do about a missing network, token or permission, or if the
 *   repository is not a model
 */
export async function fetchHubModel(spec: string, options: HubModelOptions = {}): Promise<string> {
  const named = parseHubName(spec);
  if (named === null) {
    throw new Error(`${spec}: expected hub:owner/name, or hub:owner/name@revision`);
  }
  const { repository } = named;
  const revision = named.revision ?? 'main';
  const folder = join(options.cacheDir ?? cacheFolder(), 'hub', repository.replace('/', '--'));
  const request = { spec, repository, revision, folder, options };
  const kept = await completeSnapshot(request);
  const path = kept && join(folder, kept.commit);
  // A commit never changes, so no request is needed.
  if (path !== null && kept?.commit === revision) return path;
  if (options.offline ?? isSetOffline()) {
    if (path !== null) return path;
    throw unreachable(
      spec,
      'HF_HUB_OFFLINE is set, and the cache does not contain the whole model',
    );
  }
  try {
    return await download(request);
  } catch (error) {
    const reason = reasonOf(error);
    if (error instanceof NotAModel) throw new Error(`${spec} ${reason}`, { cause: error });
    if (error instanceof HubApiError && !isPassing(error)) throw refused(spec, error);
    if (path === null) throw unreachable(spec, reason, error);
    logOf(options)(
      `${spec}: the hub cannot be reached (${reason}); using the cached ${kept?.commit}`,
    );
    return path;
  }
}

async function download(request: Request): Promise<string> {
  const { repository, revision, folder } = request;
  const hub = connection(request);
  const info = { name: repository, revision, additionalFields: ['sha' as const] };
  const { sha } = await modelInfo({ ...hub, ...info });
  const commit = commitName(sha, request.spec);
  const listed: HubFile[] = [];
  const list = async (folder?: string): Promise<void> => {
    const where = { ...hub, revision: commit, ...(folder === undefined ? {} : { path: folder }) };
    for await (const { type, path, size } of listFiles(where)) {
      if (type === 'file') listed.push({ path, size });
      else if (path === 'additional_chat_templates') await list(path);
    }
  };
  await list();
  const snapshot = { commit, files: modelFilesOf(listed) };
  for (const file of snapshot.files) await downloadOne(request, commit, file);
  writeAside(referencePath(request), (append) => append(Buffer.from(JSON.stringify(snapshot))));
  return join(folder, commit);
}

async function downloadOne(
  request: Request,
  commit: string,
  { path, size }: HubFile,
): Promise<void> {
  const place = join(
    request.folder,
    commit,
    safePath(path, (fault) => new Error(`${request.spec}: ${shownLine(path)}: ${fault}`)),
  );
  if ((await sizeOf(place)) === size) return;
  logOf(request.options)(`downloading ${request.spec} ${path} (${(size / 1e6).toFixed(1)} MB)`);
  await mkdir(dirname(place), { recursive: true });
  const aside = asidePath(place);
  try {
    const blob = await downloadFile({ ...connection(request), path, revision: commit });
    if (blob === null) throw new Error(`${path} is listed but missing`);
    await pipeline(Readable.fromWeb(blob.stream() as ReadableStream), createWriteStream(aside));
    const found = await sizeOf(aside);
    if (found !== size) throw new Error(`${path} has ${found} bytes, expected ${size}`);
    await rename(aside, place);
  } finally {
    await rm(aside, { force: true });
  }
}

/** The commit that the revision pointed at when its files were last complete, if they still are. */
async function completeSnapshot(request: Request): Promise<Snapshot | null> {
  const snapshot = await readSnapshot(referencePath(request));
  if (snapshot === null) return null;
  for (const { path, size } of snapshot.files) {
    if ((await sizeOf(join(request.folder, snapshot.commit, path))) !== size) return null;
  }
  return snapshot;
}

/** null if the reference is missing or damaged: the files are then downloaded again. */
async function readSnapshot(path: string): Promise<Snapshot | null> {
  try {
    const { commit, files } = JSON.parse(await readFile(path, 'utf8')) as Snapshot;
    for (const file of files) safePath(file.path, Error);
    return isCommit(commit) ? { commit, files } : null;
  } catch {
    return null;
  }
}

const referencePath = ({ folder, revision }: Request): string =>
  join(folder, 'refs', `${encodeURIComponent(revision)}.json`);

const connection = ({ repository, options }: Request) => ({
  repo: { type: 'model' as const, name: repository },
  accessToken: options.token ?? (process.env.HF_TOKEN || undefined),
  hubUrl: (options.endpoint ?? process.env.HF_ENDPOINT)?.replace(/\/$/, '') || undefined,
  fetch: options.fetch,
});

const isSetOffline = (): boolean =>
  ['1', 'true', 'yes', 'on'].includes((process.env.HF_HUB_OFFLINE ?? '').toLowerCase());

/** Whether the hub is busy or failing, so that a later attempt may succeed. */
const isPassing = ({ statusCode }: HubApiError): boolean => statusCode === 429 || statusCode >= 500;

const logOf = ({ log }: HubModelOptions): ((line: string) => void) =>
  log ?? ((line) => console.error(shownLine(line)));

const sizeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    ({ size }) => size,
    () => null,
  );

// fetch puts the reason (ENOTFOUND, ECONNREFUSED) in the cause.
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

const unreachable = (spec: string, reason: string, cause?: unknown): Error =>
  new Error(
    `${spec} could not be downloaded (${reason}). Check the network, set HF_ENDPOINT to a mirror, or download it on another machine and pass its folder`,
    { cause },
  );

const refused = (spec: string, error: HubApiError): Error =>
  new Error(
    `${spec}: the hub refused with status ${error.statusCode} (${error.message.split('. URL')[0]}). ${
      error.statusCode === 404
        ? 'Check owner, name and revision. A private model also needs HF_TOKEN'
        : 'Set HF_TOKEN to a token of an account with access. For a gated model, first accept the terms on its page'
    }`,
    { cause: error },
  );
