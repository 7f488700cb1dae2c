import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Isolation, SandboxRequest } from './isolation.ts';
import { childProcesses, treeMemory } from './process-tree.ts';

/** What stopped a process that did not end on its own. */
export type Stop =
  | 'wall time'
  | 'processor time'
  | 'output'
  | 'memory'
  | 'aborted'
  | 'no longer needed';

export interface Ending {
  /** null if a signal ended it */
  code: number | null;
  stopped: Stop | null;
  /** The end of what it wrote to stderr. */
  complaint: string;
}

const COMPLAINT = 2000;
/** The exit status after SIGXCPU. */
const TOO_LONG = 128 + 24;
const MEMORY_EVERY_MS = 50;
/** How long the outermost process may take to end after those within it were killed. */
const GRACE_MS = 1000;

/**
 * A process in a sandbox, with everything that it starts. Nothing of it is left when `ended`
 * resolves.
 */
export class ShutInProcess {
  readonly stdin: Writable;
  /** Counted for the limit on output: a reader gets no more than that. */
  readonly stdout: Readable;
  /** Resolves when all its processes are gone and all output was read. Does not reject. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #isolated: boolean;
  readonly #timers: NodeJS.Timeout[] = [];
  #stopped: Stop | null = null;
  #complaint = '';

  constructor(isolation: Isolation, request: SandboxRequest) {
    const { limits } = request;
    const [file, ...args] = isolation.wrap(request);
    const scratch = isolation.scratch ?? mkdtempSync(join(tmpdir(), 'keel-code-'));
    this.#isolated = isolation.scratch !== null;
    this.#child = spawn(file, args, {
      cwd: this.#isolated ? '/' : scratch,
      env: environment(scratch, `${process.pid}-${++runs}`),
      stdio: ['pipe', 'pipe', 'pipe'],
      // A separate session: no terminal, and a group that can be killed.
      detached: true,
    });
    const { stdin, stdout, stderr } = this.#child;
    this.stdin = stdin;
    this.stdout = stdout;
    // A program that does not read its input closes the pipe.
    stdin.on('error', () => {});
    let room = limits.output_kilobytes * 1024;
    const count = (part: Buffer): void => {
      room -= part.length;
      if (room < 0) this.stop('output');
    };
    stdout.on('data', count);
    stderr.on('data', (part: Buffer) => {
      count(part);
      this.#complaint = (this.#complaint + part.toString()).slice(-COMPLAINT);
    });
    this.#timers.push(
      setTimeout(() => this.stop('wall time'), limits.wall_seconds * 1000),
      setInterval(() => this.#checkMemory(limits.memory_megabytes * 2 ** 20), MEMORY_EVERY_MS),
    );
    this.ended = new Promise((resolve) => {
      const end = (code: number | null): void => {
        for (const timer of this.#timers) clearTimeout(timer);
        if (!this.#isolated) {
          this.#killGroup();
          rmSync(scratch, { recursive: true, force: true });
        }
        if (code === TOO_LONG) this.#stopped ??= 'processor time';
        resolve({ code, stopped: this.#stopped, complaint: this.#complaint.trim() });
      };
      this.#child.once('error', (error) => {
        this.#complaint = error.message;
        end(null);
      });
      // Without isolation, processes that a program leaves behind hold its pipes open.
      this.#child.once('exit', () => {
        if (!this.#isolated) this.#killGroup();
      });
      this.#child.once('close', (code) => end(code));
    });
  }

  /** Kills all its processes. The first reason counts. */
  stop(reason: Stop): void {
    if (this.#stopped !== null) return;
    this.#stopped = reason;
    const { pid } = this.#child;
    if (pid === undefined) return;
    // Further output is of no interest.
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    if (!this.#isolated) {
      this.#killGroup();
      return;
    }
    // The process below the outermost one is process 1 of the namespace, and all others end with
    // it. Then the outermost one ends too.
    const within = childProcesses(pid);
    for (const child of within) kill(child);
    if (within.length === 0) kill(pid);
    this.#timers.push(setTimeout(() => kill(pid), GRACE_MS));
  }

  #checkMemory(limit: number): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    // The outermost process and process 1 of the namespace are Keel's own.
    const programs = this.#isolated ? childProcesses(pid).flatMap(childProcesses) : [pid];
    const sum = programs.reduce((memory, program) => memory + treeMemory(program), 0);
    if (sum > limit) this.stop('memory');
  }

  #killGroup(): void {
    if (this.#child.pid !== undefined) kill(-this.#child.pid);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended on its own.
  }
}

let runs = 0;

function environment(home: string, run: string): Record<string, string> {
  return {
    // So that anyone who finds a process can tell where it comes from.
    KEEL_SANDBOX: run,
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: home,
    TMPDIR: home,
    LANG: 'C.UTF-8',
    // Linear algebra libraries would start one thread per core, above the limit on processes.
    OMP_NUM_THREADS: '1',
    OPENBLAS_NUM_THREADS: '1',
  };
}
