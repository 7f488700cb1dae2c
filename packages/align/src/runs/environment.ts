import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';

/** Facts about a run's environment that only the caller knows. */
export interface EnvironmentFacts {
  /** For example `2.13.0+cpu`. */
  torch: string;
  /** `cpu`, `cuda:0`. */
  device: string;
  /** Threads per operator on the CPU. */
  threads: number;
  /** SHA-256 of the model's files in hexadecimal, by name. */
  modelHashes: Readonly<Record<string, string>>;
  /** SHA-256 of the data's files in hexadecimal, by path. */
  dataHashes: Readonly<Record<string, string>>;
  /** Whether the chat template prints the date, so that --template-date makes a difference. */
  templatePrintsDate: boolean;
}

export interface Environment extends EnvironmentFacts {
  /** When it was gathered, in ISO 8601. */
  time: string;
  keel: string;
  node: string;
  platform: string;
  cpu: string;
  cores: number;
  memoryBytes: number;
  /** The program and its arguments, as they were called. */
  command: string[];
  /** State of the working folder; null outside a git tree. */
  git: { commit: string; dirty: boolean } | null;
}

/** Everything other than the options that may make two runs differ. */
export function describeEnvironment(facts: EnvironmentFacts): Environment {
  return {
    time: new Date().toISOString(),
    keel: keelVersion(),
    node: process.version,
    platform: `${process.platform} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    command: process.argv.slice(1),
    git: gitState(process.cwd()),
    ...facts,
  };
}

export function keelVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Commit, and whether tracked files differ from it; null outside a git tree or without git. */
export function gitState(folder: string): Environment['git'] {
  const git = (...words: string[]): string =>
    execFileSync('git', words, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const commit = git('rev-parse', 'HEAD');
    return { commit, dirty: git('status', '--porcelain', '--untracked-files=no') !== '' };
  } catch {
    return null;
  }
}
