// Runs another program in place of this one: same terminal, same signals, same exit code.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const follow = fileURLToPath(new URL('follow-launcher.mjs', import.meta.url));

/**
 * Runs `node` with `args` and exits as it does: with its exit code, or 128 plus the number of the
 * signal that killed it. The program receives this process's signals and does not outlive it.
 * Rejects if the program cannot be started.
 *
 * @param {string} node
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<never>}
 */
export async function handOver(node, args, env = process.env) {
  const child = spawn(node, ['--import', follow, ...args], {
    env: { ...env, KEEL_LAUNCHER: String(process.pid) },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // Ctrl-C in a terminal reaches the child directly. Forwarding it too would look like a second
  // Ctrl-C, which quits at once.
  process.on('SIGINT', () => {
    if (!isForeground()) child.kill('SIGINT');
  });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const [code, signal] = await new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (...ending) => done(ending));
  });
  process.exit(signal === null ? code : 128 + constants.signals[signal]);
}

/** Whether this process's group receives the terminal's signals. */
function isForeground() {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // After the name in parentheses: state, parent, group, session, terminal, foreground group.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[2] === fields[5];
  } catch {
    return Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
  }
}
