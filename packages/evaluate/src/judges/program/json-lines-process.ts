// A program that answers lines of JSON on stdin with lines of JSON on stdout, kept alive between
// them.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { exactJson } from '@keel/model/exact-json';

/** A request without a usable reply. */
export class NoReplyError extends Error {
  override readonly name = 'NoReplyError';
}

interface Waiting {
  resolve(reply: Record<string, unknown>): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout | undefined;
}

export interface JsonLinesOptions {
  /** For a shell. */
  command: string;
  /** Working directory. */
  folder: string;
  /** Seconds for a reply; null: no limit. */
  timeout: number | null;
}

/** Characters of stderr that are part of an error. */
const LAST_WORDS = 500;
/** Characters of a reply. */
const LONGEST_LINE = 10_000_000;

/**
 * Runs a program. Each request gets an `id`, which its reply repeats. A line that is no reply
 * leaves open what later ones would belong to, so the program is then ended and started again with
 * the next request.
 */
export class JsonLinesProcess {
  readonly #options: JsonLinesOptions;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #words = '';
  #next = 1;

  constructor(options: JsonLinesOptions) {
    this.#options = options;
  }

  /**
   * The reply to a request.
   * @param request is sent with an `id`
   * @throws NoReplyError for an invalid reply, or none; the signal's reason once it is aborted
   */
  async ask(request: object, signal?: AbortSignal): Promise<Record<string, unknown>> {
    signal?.throwIfAborted();
    this.#child ??= this.#start();
    const child = this.#child;
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    const { timeout } = this.#options;
    const late = (): void => {
      this.#end(child, `no reply after ${timeout} s, its "timeout"`);
    };
    const timer = timeout === null ? undefined : setTimeout(late, 1000 * timeout);
    this.#waiting.set(id, { resolve, reject, timer });
    const aborted = (): void => this.#end(child, 'interrupted');
    signal?.addEventListener('abort', aborted);
    child.stdin!.write(`${exactJson({ id, ...request })}\n`);
    try {
      return await promise;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', aborted);
    }
  }

  /** Ends the program: it gets an end of file, and is killed if it goes on. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.stdin!.end();
    const kill = setTimeout(() => killGroup(child), 2000);
    await this.#ended;
    clearTimeout(kill);
  }

  #start(): ChildProcess {
    const { command, folder } = this.#options;
    // A group of its own, so that a program's own children end with it.
    const child = spawn(command, { shell: true, cwd: folder, detached: true, stdio: 'pipe' });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    this.#words = '';
    // An end is reported by the event "close"; what is written after it has nowhere to go.
    child.stdin!.on('error', () => {});
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#words = (this.#words + text).slice(-LAST_WORDS);
    });
    let length = 0;
    child.stdout!.on('data', (part: Buffer) => {
      length = part.includes(10) ? 0 : length + part.length;
      if (length > LONGEST_LINE) this.#end(child, 'a line of its output does not end');
    });
    createInterface({ input: child.stdout!, crlfDelay: Number.POSITIVE_INFINITY }).on(
      'line',
      (line) => this.#read(child, line),
    );
    child.on('error', (error) => this.#end(child, error.message));
    child.on('close', (code, signal) => {
      this.#end(child, `the program ended (${signal ?? `exit code ${code}`})`);
      resolve();
    });
    return child;
  }

  #read(child: ChildProcess, line: string): void {
    if (child !== this.#child || line.trim() === '') return;
    let reply: unknown;
    try {
      reply = JSON.parse(line);
    } catch {
      this.#end(child, `it printed ${shownLine(line)}, which is not JSON`);
      return;
    }
    const { id, ...rest } = (reply ?? {}) as Record<string, unknown>;
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined;
    if (waiting === undefined) {
      this.#end(child, `it printed ${shownLine(line)}, whose "id" is not that of a request`);
      return;
    }
    this.#waiting.delete(id as number);
    clearTimeout(waiting.timer);
    waiting.resolve(rest);
  }

  /** Ends this program; the requests that it has get no reply. */
  #end(child: ChildProcess, reason: string): void {
    if (child !== this.#child) return;
    this.#child = null;
    killGroup(child);
    const words = this.#words.trim();
    const message = `${this.#options.command}: ${reason}${words === '' ? '' : `: ${words}`}`;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new NoReplyError(message));
    }
    this.#waiting.clear();
  }
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in the meantime.
  }
}

const shownLine = (line: string): string =>
  JSON.stringify(line.length > 80 ? `${line.slice(0, 77)}…` : line);
