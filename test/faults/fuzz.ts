/**
 * Damages files of every format that Keel reads, and checks how its readers handle them. Each file
 * must be read or rejected with an error that names it. Crashes, hangs, excessive memory, uncaught
 * errors, messages of the JavaScript engine and silent NaN are failures.
 *
 *     node test/faults/fuzz.ts --seed 7 --count 20000 [--target gguf] [--keep FOLDER]
 */
import { type ChildProcess, fork } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Task, Verdict } from './fuzz-child.ts';
import { damageBytes, damageJson, randomFrom } from './mutate.ts';

const MILLISECONDS = 60_000;
const MOST_BYTES = 2.5e9;

/** What the parent process needs to know about a target, without loading LibTorch. */
export interface TargetFile {
  name: string;
  file: string;
  json: boolean;
}

export interface Failure {
  target: string;
  input: number;
  fault: string;
}

export interface Findings {
  inputs: number;
  read: number;
  refused: number;
  failures: Failure[];
}

export interface FuzzOptions {
  seed: number;
  count: number;
  targets: readonly TargetFile[];
  /** Folder for damaged files that caused failures. */
  keep?: string | null;
  log?: (line: string) => void;
}

export async function fuzz({
  seed,
  count,
  targets,
  keep = null,
  log = () => {},
}: FuzzOptions): Promise<Findings> {
  const root = mkdtempSync(join(tmpdir(), 'keel-fuzz-'));
  const findings: Findings = { inputs: 0, read: 0, refused: 0, failures: [] };
  const reader = new Reader();
  try {
    for (const [at, target] of targets.entries()) {
      const folder = join(root, String(at));
      mkdirSync(folder);
      await reader.prepare(target.name, folder);
      const path = join(folder, target.file);
      const whole = readFileSync(path);
      const own = Math.floor(count / targets.length) + (at < count % targets.length ? 1 : 0);
      for (let input = 0; input < own; input++) {
        const random = randomFrom(seed * 1_000_003 + at * 100_003 + input);
        writeFileSync(path, damaged(whole, target.json, random));
        const verdict = await reader.read({ target: target.name, folder, file: target.file });
        findings.inputs += 1;
        findings[verdict.outcome] += 1;
        if (verdict.fault === null) continue;
        findings.failures.push({ target: target.name, input, fault: verdict.fault });
        log(`${target.name} #${input}: ${verdict.fault}`);
        if (keep !== null) {
          mkdirSync(keep, { recursive: true });
          copyFileSync(path, join(keep, `${at}-${input}-${basename(target.file)}`));
        }
      }
      rmSync(folder, { recursive: true, force: true });
    }
  } finally {
    reader.close();
    rmSync(root, { recursive: true, force: true });
  }
  return findings;
}

function damaged(whole: Buffer, json: boolean, random: () => number): Buffer {
  if (!json || random() < 0.3) return damageBytes(whole, random);
  const text = (): string => JSON.stringify(damageJson(JSON.parse(whole.toString('utf8')), random));
  // Nested deep values can be too deep to serialise: try again.
  for (;;) {
    try {
      return Buffer.from(text());
    } catch {}
  }
}

/** The process that reads. It is started again after an input that crashed it. */
class Reader {
  #child: ChildProcess | null = null;

  async prepare(target: string, folder: string): Promise<void> {
    const answer = await this.#ask({ prepare: target, folder });
    if (typeof answer === 'string') throw new Error(`${target} cannot be prepared: ${answer}`);
  }

  async read(task: Task): Promise<Verdict> {
    const answer = await this.#ask(task);
    return typeof answer === 'string' ? { fault: answer, outcome: 'refused' } : answer;
  }

  close(): void {
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  #start(): ChildProcess {
    const child = fork(fileURLToPath(new URL('fuzz-child.ts', import.meta.url)), [], {
      execArgv: ['--max-old-space-size=1500'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    });
    child.stderr!.setEncoding('utf8');
    return child;
  }

  /** @returns the answer, or how the process ended */
  #ask(message: object): Promise<Verdict | string> {
    this.#child ??= this.#start();
    const child = this.#child;
    return new Promise((resolve) => {
      let said = '';
      let ending = '';
      const listen = (text: string): void => {
        said = (said + text).slice(-2000);
      };
      const end = (why: string): void => {
        ending = why;
        child.kill('SIGKILL');
      };
      const timer = setTimeout(
        () => end(`took more than ${MILLISECONDS / 1000} seconds`),
        MILLISECONDS,
      );
      const watch = setInterval(() => {
        const bytes = residentBytes(child.pid!);
        if (bytes > MOST_BYTES) end(`took ${Math.round(bytes / 1e6)} MB`);
      }, 200);
      const done = (answer: Verdict | string): void => {
        clearTimeout(timer);
        clearInterval(watch);
        child.off('message', done);
        child.off('exit', exit);
        child.stderr!.off('data', listen);
        resolve(answer);
      };
      const exit = (code: number | null, signal: string | null): void => {
        this.#child = null;
        done(ending || `the process ended (${signal ?? code}): ${said}`);
      };
      child.on('message', done);
      child.on('exit', exit);
      child.stderr!.on('data', listen);
      child.send(message, () => {});
    });
  }
}

function residentBytes(pid: number): number {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return pages * 4096;
  } catch {
    // Not Linux, or the process has ended.
    return 0;
  }
}

if (process.argv[1] && statSync(process.argv[1]).ino === statSync(new URL(import.meta.url)).ino) {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '7' },
      count: { type: 'string', default: '20000' },
      target: { type: 'string' },
      keep: { type: 'string' },
    },
  });
  const { targets } = await import('./targets.ts');
  const chosen = targets
    .filter(({ name }) => values.target === undefined || name === values.target)
    .map(({ name, file, json = false }) => ({ name, file, json }));
  const findings = await fuzz({
    ...{ seed: Number(values.seed), count: Number(values.count), targets: chosen },
    ...{ keep: values.keep ?? null, log: console.log },
  });
  const { inputs, read, refused, failures } = findings;
  console.log(`${inputs} inputs: ${read} read, ${refused} refused, ${failures.length} failures`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}
