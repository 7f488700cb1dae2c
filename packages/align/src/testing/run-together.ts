// Runs trainings in several processes on this machine, and reads what they wrote.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchProcesses } from '@keel/torch/launch';
import { expect } from 'vitest';
import type { Job } from './train-together.ts';

/** The program of each process. */
export const togetherProgram = fileURLToPath(new URL('train-together.ts', import.meta.url));

let files = 0;

/**
 * Runs jobs one after the other, each in so many processes.
 * @param folder where the jobs, the processes' temporary folders and their cache are written: runs
 *   in another number of processes compute what these have cached
 * @param kill what kills one of the processes (default: nothing)
 */
export async function runTogether(
  folder: string,
  processes: number,
  jobs: readonly Job[],
  kill?: unknown,
): Promise<{ exitCode: number; said: string[] }> {
  const file = join(folder, `jobs-${files++}.json`);
  writeFileSync(file, JSON.stringify(jobs));
  const cache = join(folder, `cache-${processes}`);
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const said: string[][] = Array.from({ length: processes }, () => []);
  const args = [togetherProgram, file, ...(kill === undefined ? [] : [JSON.stringify(kill)])];
  const { exitCode } = await launchProcesses(process.execPath, args, {
    ...{ processes, threads: 1 },
    env: { ...process.env, TMPDIR: temporary, KEEL_CACHE: cache },
    onLine: (rank, line) => said[rank]!.push(line),
  });
  return { exitCode, said: said.map((lines) => lines.join('\n')) };
}

/** As {@link runTogether}; a test fails if a process does. */
export async function trainTogether(
  folder: string,
  processes: number,
  jobs: readonly Job[],
): Promise<void> {
  const { exitCode, said } = await runTogether(folder, processes, jobs);
  expect(exitCode, said.map((lines, rank) => `[${rank}] ${lines}`).join('\n')).toBe(0);
}

/** All weights of a result, one after the other. */
export function weightsOf(run: string): Float32Array {
  const [file] = ['adapter_model.safetensors', 'model.safetensors']
    .map((name) => join(run, 'final', name))
    .filter((path) => existsSync(path));
  const bytes = readFileSync(file!);
  const header = 8 + Number(bytes.readBigUInt64LE(0));
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + header, bytes.byteOffset + bytes.length),
  );
}

/** Of two vectors, relative to the second's length. */
export const distance = (found: Float32Array, expected: Float32Array): number =>
  Math.hypot(...expected.map((value, at) => value - found[at]!)) / Math.hypot(...expected);
