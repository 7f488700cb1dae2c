// Kills runs at file changes chosen from a seed, resumes them, and compares them with an
// undisturbed run.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { expectSameRun } from '../../packages/align/src/testing/run-files.ts';
import { draws } from '../../packages/align/src/testing/tiny-chat-model.ts';
import type { KillPlace } from './file-operations.ts';
import type { ChildTask, Job } from './kill-child.ts';

const program = fileURLToPath(new URL('kill-child.ts', import.meta.url));

export interface Trial {
  seed: number;
  /** The process's message about each kill. */
  killed: string[];
}

/**
 * Trials of one job in a separate folder. All of them use the same path, because results may
 * contain it.
 */
export class KillTrials {
  readonly #root: string;
  readonly #job: Job;
  #changes = 0;

  /** @param job writes into `run` in the folder */
  constructor(root: string, job: (output: string) => Job) {
    this.#root = root;
    this.#job = job(join(root, 'run'));
    mkdirSync(root, { recursive: true });
  }

  /** Runs the job without a kill. @returns the number of file changes */
  async whole(): Promise<number> {
    const { code, stdout, stderr } = await this.#run(null);
    expect(code, stderr).toBe(0);
    this.#changes = (JSON.parse(stdout.trim().split('\n').at(-1)!) as { changes: number }).changes;
    renameSync(join(this.#root, 'run'), join(this.#root, 'whole'));
    return this.#changes;
  }

  /**
   * Kills and resumes the run, lets it finish, and compares its results byte for byte.
   * @param kills maximum number of kills; the first hits a fresh run, the others hit resumed ones
   */
  async trial(seed: number, kills: number): Promise<Trial> {
    const draw = draws(seed);
    // The first numbers of small seeds are similar.
    for (let skip = 0; skip < 16; skip++) draw(1);
    const run = join(this.#root, 'run');
    for (const name of ['run', 'cache'])
      rmSync(join(this.#root, name), { recursive: true, force: true });
    const killed: string[] = [];
    for (let kill = 0; kill < kills; kill++) {
      const when = (['before', 'half', 'after'] as const)[draw(3)]!;
      // Later processes have less left to do: about this much.
      const place = { index: draw(Math.ceil(this.#changes / (kill + 1))), when };
      const { signal, code, stderr } = await this.#run(place);
      if (code === 0) break;
      expect(signal, `seed ${seed}, ${JSON.stringify(place)}: ${stderr}`).toBe('SIGKILL');
      killed.push(/killed .*/.exec(stderr)?.[0] ?? stderr);
    }
    const { code, stderr } = await this.#run(null);
    expect(code, `seed ${seed}, ${killed.join('; ')}: ${stderr}`).toBe(0);
    this.#compare(run, `seed ${seed}, ${killed.join('; ')}`);
    return { seed, killed };
  }

  #compare(run: string, about: string): void {
    const whole = join(this.#root, 'whole');
    for (const inside of runsIn(whole)) {
      expectSameRun(join(run, inside), join(whole, inside));
      const samples = join(inside, 'samples.jsonl');
      if (existsSync(join(whole, samples))) {
        const [found, expected] = [run, whole].map((one) =>
          readFileSync(join(one, samples), 'utf8'),
        );
        expect(found, about).toBe(expected);
      }
    }
    expect(leftovers(run), about).toEqual([]);
  }

  #run(place: KillPlace | null): Promise<{
    code: number | null;
    signal: NodeJS.Signals | null;
    stdout: string;
    stderr: string;
  }> {
    const task: ChildTask = { job: this.#job, root: this.#root, place };
    const child = spawn(process.execPath, [program, JSON.stringify(task)], {
      env: { ...process.env, KEEL_CACHE: join(this.#root, 'cache') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
      });
    }
    return new Promise((done, fail) => {
      child.once('error', fail);
      child.once('close', (code, signal) => done({ code, signal, ...output }));
    });
  }
}

/** The run itself, or the runs of a recipe's stages. */
function runsIn(folder: string): string[] {
  if (existsSync(join(folder, 'final'))) return ['.'];
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'final')));
}

/** Locks and partial files. */
const leftovers = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(^|\/)\.(lock|.*\.(partial|replaced))/.test(path),
  );
