// Starts the processes of a run on this machine, as torchrun does on each of its machines.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LaunchOptions {
  processes: number;
  /** Port of rank 0 (default: a free one). */
  port?: number | null;
  /** Threads of each process (default: the cores, divided; OMP_NUM_THREADS where it is set). */
  threads?: number | null;
  env?: NodeJS.ProcessEnv;
  /** Gets the lines of all ranks (default: stderr is written, and stdout is rank 0's). */
  onLine?(rank: number, line: string, stream: 'stdout' | 'stderr'): void;
  /** Milliseconds that the others have to end after one has failed (default: 15,000). */
  grace?: number;
  /** Called once with a function that sends a signal to all processes. */
  onStart?(send: (name: NodeJS.Signals) => void): void;
}

/** How the processes ended. */
export interface LaunchEnd {
  /** 0 where all ended well; else that of the first that failed (128 and its signal's number). */
  exitCode: number;
  /** The rank that failed first; null: none. */
  failed: number | null;
}

/**
 * Runs a program in several processes, with the variables that torchrun sets. Rank 0 has this
 * process's standard output. When a process fails, the others notice it in their next collective;
 * those that do not are ended.
 */
export async function launchProcesses(
  program: string,
  args: readonly string[],
  options: LaunchOptions,
): Promise<LaunchEnd> {
  const { processes, onLine, grace = 15_000, onStart } = options;
  const base = options.env ?? process.env;
  const port = options.port ?? (await freePort());
  const threads = options.threads ?? Math.max(1, Math.floor(availableParallelism() / processes));
  const children = Array.from({ length: processes }, (_, rank) => {
    const env = {
      ...base,
      ...{ RANK: `${rank}`, LOCAL_RANK: `${rank}` },
      ...{ WORLD_SIZE: `${processes}`, LOCAL_WORLD_SIZE: `${processes}` },
      ...{ MASTER_ADDR: '127.0.0.1', MASTER_PORT: `${port}` },
      // For commands that a program shows.
      KEEL_LAUNCH: `${processes}`,
      OMP_NUM_THREADS: options.threads ? `${threads}` : (base.OMP_NUM_THREADS ?? `${threads}`),
    };
    const own = rank === 0 && onLine === undefined ? 'inherit' : 'pipe';
    // Detached: a terminal's signals come once, through `onStart`'s function.
    const stdio: StdioOptions = ['ignore', own, 'pipe'];
    return spawn(program, args, { env, stdio, detached: true });
  });
  const stop = (name: NodeJS.Signals): void => {
    for (const one of children)
      if (one.exitCode === null && one.signalCode === null) one.kill(name);
  };
  const lines = new RankLines();
  let failed: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  const endSoon = (): void => {
    timer ??= setTimeout(() => {
      stop('SIGTERM');
      timer = setTimeout(() => stop('SIGKILL'), grace);
    }, grace);
  };
  onStart?.(stop);
  const codes = await Promise.all(
    children.map(async (child, rank) => {
      const shown = showLines(child, rank, onLine ?? lines.show);
      const code = await ended(child);
      await shown;
      if (code !== 0 && failed === null) {
        failed = rank;
        endSoon();
      }
      return code;
    }),
  );
  clearTimeout(timer);
  await lines.end();
  return { exitCode: failed === null ? 0 : codes[failed]!, failed };
}

const signalNumbers: Partial<Record<NodeJS.Signals, number>> = {
  ...{ SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 },
};

/** The exit code, as a shell has it. */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, name) => resolve(code ?? 128 + (signalNumbers[name!] ?? 0)));
  });
}

async function showLines(
  child: ChildProcess,
  rank: number,
  onLine: NonNullable<LaunchOptions['onLine']>,
): Promise<void> {
  const read = async (stream: 'stdout' | 'stderr'): Promise<void> => {
    if (child[stream] === null) return;
    for await (const line of createInterface({ input: child[stream] })) onLine(rank, line, stream);
  };
  await Promise.all([read('stdout'), read('stderr')]);
}

/** Milliseconds in which rank 0 may write a line, too. */
const SAME_LINE = 500;

/** Writes the ranks' stderr; of a line that rank 0 also writes, only its own. */
class RankLines {
  readonly #first = new Set<string>();
  readonly #waiting: Promise<void>[] = [];

  readonly show = (rank: number, line: string, stream: 'stdout' | 'stderr'): void => {
    // Rank 0 says what there is to say; others only complain.
    if (stream === 'stdout') return;
    if (rank === 0) {
      this.#first.add(line);
      process.stderr.write(`${line}\n`);
      return;
    }
    this.#waiting.push(
      sleep(SAME_LINE).then(() => {
        if (!this.#first.has(line)) process.stderr.write(`[rank ${rank}] ${line}\n`);
      }),
    );
  };

  async end(): Promise<void> {
    await Promise.all(this.#waiting);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
