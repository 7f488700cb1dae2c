import { say, styled } from '../terminal.ts';
import type { GroupFacts } from './measure-group.ts';

/** Prints who is in the group, and how fast it is. */
export function printGroup({ members, barrier, sums }: GroupFacts): void {
  say('');
  say(styled('bold', `${members.length} processes reach each other (Gloo)`));
  for (const { rank, host, pid, threads, cores } of members) {
    say(`  rank ${rank}: ${host}, process ${pid}, ${threads} of ${cores} threads`);
  }
  say(`  A barrier takes ${barrier.toFixed(2)} ms.`);
  for (const { bytes, milliseconds, gigabytesPerSecond } of sums) {
    say(
      `  Summing ${sizeText(bytes)} of gradients takes ${milliseconds.toFixed(1)} ms: each process sends ${gigabytesPerSecond.toFixed(2)} GB/s.`,
    );
  }
}

const sizeText = (bytes: number): string =>
  bytes < 1024 ** 2 ? `${bytes / 1024} KiB` : `${bytes / 1024 ** 2} MiB`;
