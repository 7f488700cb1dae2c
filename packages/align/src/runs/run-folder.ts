import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { FileError, fileError, makeFolder } from '@keel/model';
import { parse, stringify } from 'yaml';
import { changedProgram, PROGRAM_KEY } from '../config/program-parts.ts';
import { removePartials, writeFileAtomic, writeFolderAtomic } from '../files/atomic-write.ts';
import {
  type Checkpoint,
  type FoundCheckpoints,
  findCheckpoints,
  saveCheckpoint,
} from './checkpoints.ts';
import type { Environment } from './environment.ts';
import { refuseSystemFolder, refuseUnwritable } from './output-folder.ts';
import { changeableOnResume } from './resume-rules.ts';
import { LOCK_NAME, lockRun, refuseLocked } from './run-lock.ts';

const ownNames =
  /^(config\.yaml|(environment|data|run)\.json|studio\.log|\.stop-asked|(metrics|samples|answers)\.jsonl|(health|held-out-batches)\.json|report\.html|profile(-summary)?\.json|reward-evaluation\.json|checkpoints|best|final|discriminator|merged|skipped-rows\.jsonl|non-finite-rows\.jsonl|events\.out\.tfevents\..*|\..*\.(partial|replaced)-.*)$/;

export interface RunFolderOptions {
  /** Text of config.yaml, or its values by snake_case key. */
  config: string | Readonly<Record<string, unknown>>;
  /** Resume the existing run. */
  resume?: boolean;
  /** Remove the existing run first. */
  overwrite?: boolean;
  /** Check everything, and write nothing. */
  dryRun?: boolean;
  /** snake_case keys that may differ when a run is resumed. */
  changeable?: readonly string[];
  /** Receives messages about a stale lock, a run that starts again, and damaged checkpoints. */
  notice?(text: string): void;
}

/** Small files of a run that continues, which its other processes read, too. */
const continued = [
  ...['metrics.jsonl', 'samples.jsonl', 'answers.jsonl', 'data.json', 'environment.json'],
  ...['health.json', 'held-out-batches.json'],
];

/** The folder of one run, held by this process until `close`. */
export class RunFolder implements Disposable {
  readonly path: string;
  readonly resumed: boolean;
  /** Where checkpoints and the result are: `path`, or the folder that another process writes. */
  readonly #written: string;
  readonly #unlock: () => void;
  #newest: FoundCheckpoints | null = null;

  private constructor(path: string, resumed: boolean, unlock: () => void, written = path) {
    this.path = path;
    this.resumed = resumed;
    this.#written = written;
    this.#unlock = unlock;
  }

  /**
   * The folder of a process whose run folder rank 0 writes: a temporary one, for what nobody reads
   * after the run. Checkpoints are read from the run folder, and not written.
   * @throws FileError where the run folder cannot be read on this machine
   */
  static follow(path: string, { resume = false }: Pick<RunFolderOptions, 'resume'>): RunFolder {
    const own = mkdtempSync(join(tmpdir(), 'keel-rank-'));
    const remove = (): void => rmSync(own, { recursive: true, force: true });
    if (resume && !existsSync(join(path, 'config.yaml'))) {
      remove();
      throw new Error(
        `${path}: this machine (${hostname()}) does not see the run folder that rank 0 resumes. Put it on a file system that all machines share`,
      );
    }
    for (const name of resume ? continued : []) {
      if (!existsSync(join(path, name))) continue;
      cpSync(join(path, name), join(own, name));
    }
    return new RunFolder(own, resume, remove, path);
  }

  /** Whether another process writes the run folder. */
  get follows(): boolean {
    return this.#written !== this.path;
  }

  /**
   * Creates or takes over the folder, writes config.yaml, and removes what a killed process left.
   *
   * @throws Error if the folder holds a run and neither `resume` nor `overwrite` is set, if it
   *   holds something else, if there is nothing to resume, its options differ or all its
   *   checkpoints are damaged, or if another process writes to it
   * @throws FileError if the file system refuses
   */
  static async create(path: string, options: RunFolderOptions): Promise<RunFolder> {
    const { resume = false, overwrite = false } = options;
    const { notice = () => {} } = options;
    refuseSystemFolder(path);
    const startsAgain = refuseWrongFolder(path, resume, overwrite);
    const text = typeof options.config === 'string' ? options.config : stringify(options.config);
    const changeable = options.changeable ?? changeableOnResume;
    if (options.dryRun) {
      refuseUnwritable(path);
      refuseLocked(path);
      if (resume) refuseOtherOptions(path, text, changeable);
      const run = new RunFolder(path, resume, () => {});
      if (resume) await run.#refuseDamage(notice);
      return run;
    }
    makeFolder(path);
    const unlock = lockRun(path, notice);
    try {
      if (startsAgain) {
        notice(`${path}: this run stopped before its first checkpoint, so it starts again`);
      }
      if (overwrite || startsAgain) await removeRun(path);
      if (resume) refuseOtherOptions(path, text, changeable);
      await removePartials(path);
      await removePartials(join(path, 'checkpoints'));
      await removePartials(join(path, 'best'));
      writeFileAtomic(join(path, 'config.yaml'), text);
      const run = new RunFolder(path, resume, unlock);
      if (resume) await run.#refuseDamage(notice);
      return run;
    } catch (error) {
      unlock();
      throw error;
    }
  }

  get metricsPath(): string {
    return join(this.path, 'metrics.jsonl');
  }

  get checkpointsPath(): string {
    return join(this.#written, 'checkpoints');
  }

  get finalPath(): string {
    return join(this.#written, 'final');
  }

  /** Weights of the best evaluations, in `step-N`. */
  get bestPath(): string {
    return join(this.#written, 'best');
  }

  get reportPath(): string {
    return join(this.path, 'report.html');
  }

  /** Default path for the trace of `--profile`. */
  get profilePath(): string {
    return join(this.path, 'profile.json');
  }

  /** Writes environment.json; a resumed run keeps the first one and adds its own to `resumed`. */
  writeEnvironment(environment: Environment): void {
    const path = join(this.path, 'environment.json');
    let content: Environment & { resumed?: Environment[] } = environment;
    if (this.resumed && existsSync(path)) {
      const first = environmentIn(path);
      if (first !== null) content = { ...first, resumed: [...(first.resumed ?? []), environment] };
    }
    writeFileAtomic(path, `${JSON.stringify(content, null, 2)}\n`);
  }

  /** The newest undamaged checkpoint, or null if there is none. Its files are read once. */
  async latestCheckpoint(): Promise<Checkpoint | null> {
    this.#newest ??= await findCheckpoints(this.checkpointsPath);
    return this.#newest.newest;
  }

  /** Falls back to an older checkpoint if newer ones are damaged. */
  async #refuseDamage(notice: (text: string) => void): Promise<void> {
    const newest = await this.latestCheckpoint();
    const { damaged } = this.#newest!;
    if (damaged.length === 0) return;
    const faults = damaged.map(({ step, fault }) => `The checkpoint of step ${step}: ${fault}.`);
    if (newest === null) {
      throw new Error(
        `${this.checkpointsPath}: every checkpoint is damaged, so the run cannot be resumed. ${faults.join(' ')} ` +
          'Restore one from a copy, or pass --overwrite to start again',
      );
    }
    notice(`${faults.join(' ')} The run resumes from the older checkpoint ${newest.path}`);
  }

  /** Writes checkpoints/step-N, whole or not at all, then keeps only the newest (null: all). */
  async saveCheckpoint(
    step: number,
    fill: (folder: string) => Promise<void> | void,
    keep: number | null = null,
  ): Promise<Checkpoint> {
    if (this.follows) return { step, path: join(this.checkpointsPath, `step-${step}`) };
    makeFolder(this.checkpointsPath);
    const saved = await saveCheckpoint(this.checkpointsPath, step, fill, keep);
    this.#newest = { newest: saved, damaged: [] };
    return saved;
  }

  /** Writes final/, whole or not at all. */
  async saveFinal(fill: (folder: string) => Promise<void> | void): Promise<void> {
    if (this.follows) return;
    await writeFolderAtomic(this.finalPath, fill);
  }

  /** Releases the folder to other processes. */
  close(): void {
    this.#unlock();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** null if the file is damaged: no run depends on it. */
function environmentIn(path: string): (Environment & { resumed?: Environment[] }) | null {
  try {
    const found: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof found === 'object' ? (found as Environment | null) : null;
  } catch {
    return null;
  }
}

function entriesOf(path: string): string[] {
  return existsSync(path) ? readdirSync(path).filter((name) => !name.startsWith(LOCK_NAME)) : [];
}

/**
 * @returns whether the existing run stopped before its first checkpoint, so that nothing is lost if
 *   it starts again
 */
function refuseWrongFolder(path: string, resume: boolean, overwrite: boolean): boolean {
  const entries = entriesOf(path);
  const own = entries.filter((name) => ownNames.test(name));
  const [foreign] = entries.filter((name) => !ownNames.test(name));
  if (resume && overwrite) {
    throw new Error('--resume continues a run, but --overwrite removes it. Pass only one of them');
  }
  if (foreign !== undefined && !own.includes('config.yaml')) {
    throw new Error(
      `${path}: is not empty and not a run folder (it contains ${foreign}). Pass a new --output`,
    );
  }
  if (resume && !own.includes('config.yaml')) {
    throw new Error(
      `${path}: there is no run to resume (no config.yaml). Remove --resume to start one`,
    );
  }
  const early = /^(config\.yaml|(environment|run)\.json|studio\.log|\.stop-asked)$/;
  const started = own.some((name) => !early.test(name));
  if (resume || overwrite || !started) return false;
  if (!own.some((name) => isResult(path, name))) return true;
  throw new Error(
    `${path}: already contains a run. Pass --resume to continue it, --overwrite to remove it, or a new --output`,
  );
}

/** Whether a file or folder is the result of training steps. */
const isResult = (path: string, name: string): boolean =>
  /^(best|final|discriminator|merged)$/.test(name) ||
  (name === 'checkpoints' &&
    readdirSync(join(path, name)).some((one) => /^(\.?step-\d+)/.test(one)));

async function removeRun(path: string): Promise<void> {
  for (const name of entriesOf(path)) {
    if (ownNames.test(name)) await rm(join(path, name), { recursive: true, force: true });
  }
}

/** @throws Error, FileError naming the file */
function optionsIn(file: string): Record<string, unknown> {
  let found: unknown;
  try {
    found = parse(readFileSync(file, 'utf8')) ?? {};
  } catch (cause) {
    const known = fileError(cause, { path: file, use: 'read' });
    if (known instanceof FileError) throw known;
    throw new Error(`${file}: is not valid YAML. ${restoreConfig}`, { cause });
  }
  if (typeof found === 'object' && !Array.isArray(found)) return found as Record<string, unknown>;
  throw new Error(`${file}: does not contain options by name. ${restoreConfig}`);
}

const restoreConfig = 'Restore the file from a copy, or pass --overwrite to start again';

function refuseOtherOptions(path: string, text: string, changeable: readonly string[]): void {
  const file = join(path, 'config.yaml');
  const before = optionsIn(file);
  const now = (parse(text) ?? {}) as Record<string, unknown>;
  const changed = changedProgram(before[PROGRAM_KEY], now[PROGRAM_KEY]);
  if (changed !== null) {
    throw new Error(`${file}: ${changed}, or start a new run with another --output or --overwrite`);
  }
  const differing = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter(
    (key) =>
      key !== PROGRAM_KEY &&
      !changeable.includes(key) &&
      // A run that is older than an option has no value for it.
      !isDeepStrictEqual(before[key] ?? null, now[key] ?? null),
  );
  if (differing.length === 0) return;
  const changes = differing.map(
    (key) => `${key} was ${JSON.stringify(before[key])}, now ${JSON.stringify(now[key])}`,
  );
  throw new Error(
    `${file}: the run cannot be resumed with different options: ${changes.join('; ')}. Pass --config ${file}, or start a new run`,
  );
}
