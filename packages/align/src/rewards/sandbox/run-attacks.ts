import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Attack, attackTests } from './attacks/attack.ts';
import { attacks } from './attacks/attacks.ts';
import { limitsSchema } from './limits.ts';
import { runTests } from './run-tests.ts';
import type { Sandbox } from './sandbox.ts';

export interface AttackOutcome {
  name: string;
  /** The share of the tests that passed. */
  reward: number;
  /** What stopped it, or the note of the first test. */
  met: string;
  /** What changed outside the sandbox; there must be nothing. */
  traces: string[];
  seconds: number;
}

/** The limits of attacks: enough for an honest program, and little time. */
export const attackLimits = limitsSchema.parse({
  wall_seconds: 3,
  cpu_seconds: 1,
  memory_megabytes: 128,
  processes: 12,
  scratch_megabytes: 4,
});

/** Runs attacks one after another; each must fail all tests and leave nothing behind. */
export async function* runAttacks(
  sandbox: Sandbox,
  wanted: (attack: Attack) => boolean = () => true,
): AsyncGenerator<AttackOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'keel-attacked-'));
  const file = join(folder, 'file');
  const socket = join(folder, 'socket');
  writeFileSync(file, 'untouched');
  let visits = 0;
  const visited = (): void => {
    visits += 1;
  };
  const servers = [
    await listen({ port: 0, host: '127.0.0.1' }, visited),
    await listen({ path: socket }, visited),
  ];
  const { port } = servers[0]!.address() as { port: number };
  const home = homedir();
  const homeNames = readdirSync(home);
  try {
    for (const attack of attacks({ file, home, homeNames, port, socket, pid: process.pid })) {
      if (!wanted(attack)) continue;
      const start = performance.now();
      const { verdicts, stopped, fault } = await runTests(
        sandbox,
        { program: attack.program, tests: attack.tests ?? attackTests, inPlace: attack.inPlace },
        attackLimits,
      );
      const traces: string[] = [];
      if (visits > 0) traces.push('it reached a server');
      if (readFileSync(file, 'utf8') !== 'untouched') traces.push('it changed a file');
      if (readdirSync(folder).length !== 2) traces.push('it made a file');
      if (readdirSync(home).length < homeNames.length)
        traces.push('it removed a file of the home folder');
      const left = sandboxedProcesses();
      if (left.length > 0) traces.push(`it left ${left.join(', ')}`);
      yield {
        name: attack.name,
        reward: verdicts.filter(({ passed }) => passed).length / verdicts.length,
        met: fault ?? (stopped ? `stopped: ${stopped}` : (verdicts[0]?.note ?? 'passed')),
        traces,
        seconds: (performance.now() - start) / 1000,
      };
    }
  } finally {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function listen(
  where: { port: number; host: string } | { path: string },
  visited: () => void,
): Promise<Server> {
  const server = createServer((connection) => {
    visited();
    connection.destroy();
  });
  return new Promise((resolve) => server.listen(where, () => resolve(server)));
}

/** Running processes that this one started in a sandbox. */
function sandboxedProcesses(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`KEEL_SANDBOX=${process.pid}-`);
    } catch {
      return false;
    }
  });
}
