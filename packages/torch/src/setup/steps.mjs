// Setup's output, one line per step, and the programs that the steps run.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

/** An error that is shown to the user as it is, without a stack. */
export class SetUpError extends Error {}

const running = new Set();
const cleanUps = new Set();
let interrupted = null;

/** Runs `undo` if the process is interrupted before the returned function is called. */
export function onInterruption(undo) {
  cleanUps.add(undo);
  return () => cleanUps.delete(undo);
}

/**
 * On Ctrl-C or termination, ends running programs, undoes partial work, and exits as a shell
 * expects. Returns a function that restores the default signal handling.
 */
export function handleInterruptions() {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const handle = (signal) => {
    if (interrupted) return;
    interrupted = signal;
    finishInterruption(signal);
  };
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}

async function finishInterruption(signal) {
  await Promise.all([...running].map(endGroup));
  for (const undo of [...cleanUps].reverse()) undo();
  if (process.stdout.isTTY) process.stdout.write('\n');
  process.exit(128 + constants.signals[signal]);
}

async function endGroup(child) {
  const closed = new Promise((done) => child.once('close', done));
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), 3000);
  await closed;
  clearTimeout(timer);
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Without a terminal, progress is a line of output at most this often, in milliseconds. */
const PROGRESS_LINES = 15_000;

/**
 * @typedef {(text: string, how?: { progress?: boolean }) => void} Doing
 *   changes the text of a step's line; `progress` marks a text that changes often
 */

/**
 * Runs one step and prints what it does and how long it took. `work` receives a function that
 * changes the line's text, and returns the text of the finished line.
 *
 * @param {string} name
 * @param {(doing: Doing) => Promise<string> | string} work
 */
export async function step(name, work) {
  const since = performance.now();
  const head = `  ${name.padEnd(16)}`;
  const terminal = process.stdout.isTTY;
  let text = '';
  let printed = -Infinity;
  const draw = () => {
    const line = `${head}${text} … ${seconds(since)}`;
    // A line that wraps could not be redrawn.
    process.stdout.write(`\r\x1b[2K${line.slice(0, (process.stdout.columns || 80) - 1)}`);
  };
  let timer = null;
  const doing = (now, { progress = false } = {}) => {
    text = now;
    if (terminal) {
      draw();
      timer ??= setInterval(draw, 200);
      return;
    }
    if (!progress) return void process.stdout.write(`${head}${text} …\n`);
    if (performance.now() - printed < PROGRESS_LINES) return;
    printed = performance.now();
    process.stdout.write(`${head}${text} … ${seconds(since)}\n`);
  };
  try {
    const done = await work(doing);
    clearInterval(timer);
    process.stdout.write(`${terminal ? '\r\x1b[2K' : ''}${head}${done} (${seconds(since)})\n`);
  } catch (error) {
    clearInterval(timer);
    if (terminal) process.stdout.write(`\r\x1b[2K${head}failed after ${seconds(since)}\n`);
    throw error;
  }
}

/**
 * Runs a program with its output in a log file. If it fails, throws a SetUpError that shows the
 * error.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{
 *   log: string,
 *   what: string,
 *   advice?: string,
 *   cwd?: string,
 *   env?: NodeJS.ProcessEnv,
 *   onLine?: (line: string) => void,
 * }} options `onLine` receives each line of the program's output
 */
export async function runLogged(command, args, { log, what, advice = '', cwd, env, onLine }) {
  mkdirSync(dirname(log), { recursive: true });
  const output = createWriteStream(log);
  output.write(`$ ${[command, ...args].join(' ')}\n`);
  // In a separate process group: Ctrl-C only reaches setup, which then ends the whole group.
  const child = spawn(command, args, {
    cwd,
    env: env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  if (onLine) createInterface({ input: child.stdout }).on('line', onLine);
  const code = await new Promise((done) => {
    child.once('error', (error) => done(error.message));
    child.once('close', (status, signal) => done(signal ?? status));
  });
  running.delete(child);
  await new Promise((done) => output.end(done));
  // The interruption handler cleans up and exits; nothing after this may run in the meantime.
  if (interrupted) await new Promise(() => {});
  if (code === 0) return;
  throw new SetUpError(
    `${what} failed (${code}). From ${log}:\n\n${excerpt(readFileSync(log, 'utf8'))}\n${advice && `\n${advice}\n`}`,
  );
}

/**
 * The first error and the lines after it, because tools print much more; without an error, the end.
 */
function excerpt(text) {
  const lines = text.trimEnd().split('\n');
  const first = lines.findIndex((line) => /\berror\b/i.test(line));
  const shown = first === -1 ? lines.slice(-25) : lines.slice(first, first + 25);
  return shown.map((line) => `    ${line}`).join('\n');
}
