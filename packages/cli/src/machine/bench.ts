import { spawn } from 'node:child_process';
import type { MachineBench } from '@keel/align/internal';
import { say, styled } from '../terminal.ts';
import { programPath } from './program-path.ts';

/**
 * Measures this machine's peak speeds; progress goes to stderr.
 * @throws Error if the measuring process fails
 */
export function runBench(): Promise<MachineBench> {
  const child = spawn(process.execPath, [programPath('bench-engine')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => {
      if (code === 0) done(JSON.parse(text) as MachineBench);
      else
        fail(new Error(`the benchmark process ended with ${signal ?? code}; see its output above`));
    });
  });
}

/** Prints the measurements, one per line. */
export function printBench({ matmul, memory }: MachineBench): void {
  const where = (one: { device: string; threads: number }): string =>
    one.device !== 'cpu' ? one.device : `${one.threads} thread${one.threads === 1 ? '' : 's'}`;
  const line = (name: string, value: string): void =>
    say(styled('bold', name.padEnd(14)), String(value));
  say('');
  for (const one of matmul) {
    const rate = `${(one.flops / 1e9).toFixed(0)} GFLOP/s`.padEnd(15);
    line('Matmul', `${rate}${one.precision}, ${where(one)}, at ${one.size} x ${one.size}`);
  }
  for (const one of memory) {
    const rate = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB/s`;
    line(
      'Bandwidth',
      `${rate(one.read).padEnd(15)}read, ${rate(one.copy)} copy (reads and writes), ${where(one)}`,
    );
  }
  say(
    'Runs report their speed as a share of the matmul rate (mfu). Other busy programs lower these numbers.',
  );
}
