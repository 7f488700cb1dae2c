import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { harnessCode } from './harness/harness.ts';
import type { Interpreter } from './interpreter.ts';
import type { Isolation } from './isolation.ts';
import { limitsSchema } from './limits.ts';
import { ShutInProcess } from './shut-in-process.ts';

const probeLimits = limitsSchema.parse({
  wall_seconds: 10,
  memory_megabytes: 256,
  processes: 8,
  scratch_megabytes: 1,
});

/**
 * Probes a method of isolation: runs a program in it that attempts everything that must be
 * prevented, limit by limit.
 * @returns why it cannot be trusted: what does not work, or what was possible; empty if there is no
 *   reason
 */
export async function probe(isolation: Isolation, interpreter: Interpreter): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'keel-probe-'));
  const file = join(folder, 'file');
  writeFileSync(file, 'not for the sandbox');
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as { port: number };
    const run = new ShutInProcess(isolation, {
      interpreter,
      code: harnessCode('probe', false),
      limits: probeLimits,
      slot: 0,
    });
    let printed = '';
    run.stdout.on('data', (part: Buffer) => {
      printed += part.toString();
    });
    const { processes, memory_megabytes, scratch_megabytes } = probeLimits;
    const task = { port, file, home: hidden(interpreter), pid: process.pid, processes };
    run.stdin.end(`${JSON.stringify({ ...task, memory_megabytes, scratch_megabytes })}\n`);
    const { code, stopped, complaint } = await run.ended;
    if (printed === '') return [complaint === '' ? `it ended with ${stopped ?? code}` : complaint];
    const could = JSON.parse(printed) as string[];
    if (stopped !== null) could.push('leave a process behind');
    return could.map((what) => `a program in it could ${what}`);
  } finally {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The contents of the home folder, except the path to a Python in it. */
function hidden({ readable }: Interpreter): string[] {
  const all = readdirSync(homedir()).map((name) => join(homedir(), name));
  return all.filter((path) => !readable.some((shown) => `${shown}/`.startsWith(`${path}/`)));
}
