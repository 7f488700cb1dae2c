import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse, stringify } from 'yaml';
import { changedProgram, PROGRAM_KEY } from '../config/program-parts.ts';
import { removePartials, writeFileAtomic, writeFolderAtomic } from './atomic-write.ts';
import { type Checkpoint, latestCheckpoint, saveCheckpoint } from './checkpoints.ts';
import type { Environment } from './environment.ts';
import { changeableOnResume } from './resume-rules.ts';
import { LOCK_NAME, lockRun } from './run-lock.ts';

const ownNames =
  /^(config\.yaml|environment\.json|(metrics|samples)\.jsonl|report\.html|profile(-summary)?\.json|reward-evaluation\.json|checkpoints|final|discriminator|merged|skipped-rows\.jsonl|non-finite-rows\.jsonl|events\.out\.tfevents\..*|\..*\.(partial|replaced)-.*)$/;

export interface RunFolderOptions {
  /** Text of config.yaml, or its values by snake_case key. */
  config: string | Readonly<Record<string, unknown>>;
  /** Go on with the run that is there. */
  resume?: boolean;
  /** Remove the run that is there first. */
  overwrite?: boolean;
  /** snake_case keys that may differ from the run that is resumed. */
  changeable?: readonly string[];
}

/** One run's folder, held by this process until `close`. Layout: DESIGN.md, "Run folder". */
export class RunFolder implements Disposable {
  readonly path: string;
  readonly resumed: boolean;
  readonly #unlock: () => void;

  private constructor(path: string, resumed: boolean, unlock: () => void) {
    this.path = path;
    this.resumed = resumed;
    this.#unlock = unlock;
  }

  /**
   * Makes or takes over the folder, writes config.yaml, and clears what a killed process left.
   *
   * @throws Error when the folder holds a run and neither `resume` nor `overwrite` is set, when it
   * holds something else, when there is nothing to resume or its options differ, or when another
   * process writes into it.
   */
  static async create(path: string, options: RunFolderOptions): Promise<RunFolder> {
    const { resume = false, overwrite = false } = options;
    refuseWrongFolder(path, resume, overwrite);
    mkdirSync(path, { recursive: true });
    const unlock = lockRun(path);
    try {
      if (overwrite) await removeRun(path);
      const text = typeof options.config === 'string' ? options.config : stringify(options.config);
      if (resume) refuseOtherOptions(path, text, options.changeable ?? changeableOnResume);
      await removePartials(path);
      await removePartials(join(path, 'checkpoints'));
      writeFileAtomic(join(path, 'config.yaml'), text);
      return new RunFolder(path, resume, unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  }

  get metricsPath(): string {
    return join(this.path, 'metrics.jsonl');
  }

  get checkpointsPath(): string {
    return join(this.path, 'checkpoints');
  }

  get finalPath(): string {
    return join(this.path, 'final');
  }

  get reportPath(): string {
    return join(this.path, 'report.html');
  }

  /** Where `--profile` writes its trace unless told. */
  get profilePath(): string {
    return join(this.path, 'profile.json');
  }

  /** Writes environment.json; a resumed run keeps the first one and adds this under `resumed`. */
  writeEnvironment(environment: Environment): void {
    const path = join(this.path, 'environment.json');
    let content: Environment & { resumed?: Environment[] } = environment;
    if (this.resumed && existsSync(path)) {
      const first = JSON.parse(readFileSync(path, 'utf8')) as typeof content;
      content = { ...first, resumed: [...(first.resumed ?? []), environment] };
    }
    writeFileAtomic(path, `${JSON.stringify(content, null, 2)}\n`);
  }

  /** The newest complete checkpoint, or null where there is none. */
  latestCheckpoint(): Promise<Checkpoint | null> {
    return latestCheckpoint(this.checkpointsPath);
  }

  /** Writes checkpoints/step-N, whole or not at all; of all, the newest `keep` stay (null: all). */
  async saveCheckpoint(
    step: number,
    fill: (folder: string) => Promise<void> | void,
    keep: number | null = null,
  ): Promise<Checkpoint> {
    mkdirSync(this.checkpointsPath, { recursive: true });
    return saveCheckpoint(this.checkpointsPath, step, fill, keep);
  }

  /** Writes final/, whole or not at all. */
  async saveFinal(fill: (folder: string) => Promise<void> | void): Promise<void> {
    await writeFolderAtomic(this.finalPath, fill);
  }

  /** Lets other processes write into the run. */
  close(): void {
    this.#unlock();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function entriesOf(path: string): string[] {
  return existsSync(path) ? readdirSync(path).filter((name) => !name.startsWith(LOCK_NAME)) : [];
}

function refuseWrongFolder(path: string, resume: boolean, overwrite: boolean): void {
  const entries = entriesOf(path);
  const own = entries.filter((name) => ownNames.test(name));
  const [foreign] = entries.filter((name) => !ownNames.test(name));
  if (resume && overwrite) {
    throw new Error('--resume goes on with a run and --overwrite removes it; give one of them');
  }
  if (foreign !== undefined && !own.includes('config.yaml')) {
    throw new Error(
      `${path}: is not empty and not a run's folder (it holds ${foreign}); give a new --output`,
    );
  }
  if (resume && !own.includes('config.yaml')) {
    throw new Error(`${path}: no run to resume here; leave out --resume to begin one`);
  }
  // A run that failed before its first step has left nothing worth keeping.
  const begun = own.some((name) => name !== 'config.yaml' && name !== 'environment.json');
  if (begun && !resume && !overwrite) {
    throw new Error(
      `${path}: holds a run already; --resume goes on with it, --overwrite begins anew, or give a new --output`,
    );
  }
}

async function removeRun(path: string): Promise<void> {
  for (const name of entriesOf(path)) {
    if (ownNames.test(name)) await rm(join(path, name), { recursive: true, force: true });
  }
}

function refuseOtherOptions(path: string, text: string, changeable: readonly string[]): void {
  const file = join(path, 'config.yaml');
  const before = (parse(readFileSync(file, 'utf8')) ?? {}) as Record<string, unknown>;
  const now = (parse(text) ?? {}) as Record<string, unknown>;
  const changed = changedProgram(before[PROGRAM_KEY], now[PROGRAM_KEY]);
  if (changed !== null) {
    throw new Error(`${file}: ${changed}, or start a new run: another --output, or --overwrite`);
  }
  const differing = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter(
    (key) =>
      key !== PROGRAM_KEY && !changeable.includes(key) && !isDeepStrictEqual(before[key], now[key]),
  );
  if (differing.length === 0) return;
  const told = differing.map(
    (key) => `${key} was ${JSON.stringify(before[key])}, now ${JSON.stringify(now[key])}`,
  );
  throw new Error(
    `${file}: the run cannot be resumed with other options: ${told.join('; ')}. Give --config ${file}, or begin a new run`,
  );
}
