// Who samples which answers. A decoding step reads all weights, however few answers share it. If
// each process of a machine sampled its own prompts, the machine would read the weights once for
// each process. So one process samples for all of its machine, with the threads of all.
import { availableParallelism, hostname } from 'node:os';
import { type Device, setThreads, threads } from '@keel/torch';
import { inShares } from './in-shares.ts';
import { rangesOf } from './share-out.ts';
import { workers } from './workers.ts';

/** A process, as the others see it. */
export interface SamplingProcess {
  host: string;
  threads: number;
  /** That it may use; 0: it computes on another device. */
  cores: number;
}

/**
 * Threads with which each process samples; 0: another process of its machine samples for it. All
 * machines have the same number of threads then, and the processes may use all cores of theirs.
 */
export function samplingThreads(processes: readonly SamplingProcess[]): number[] {
  const totals = new Map<string, number>();
  for (const { host, threads } of processes) totals.set(host, (totals.get(host) ?? 0) + threads);
  const fits = processes.every(({ host, cores }) => cores >= totals.get(host)!);
  if (!fits || new Set(totals.values()).size > 1) return processes.map((one) => one.threads);
  const hosts = processes.map(({ host }) => host);
  return hosts.map((host, rank) => (hosts.indexOf(host) === rank ? totals.get(host)! : 0));
}

/**
 * Samples answers to ranges of prompts, in the processes that sample. All of them call it.
 * @param device of the model
 * @param work gets [start, end); returns plain values and tensors
 * @returns what was found for all ranges, in order
 */
export async function inSamplingShares<Found>(
  prompts: number,
  device: Device,
  work: (range: readonly [number, number]) => Promise<Found>,
): Promise<Found[]> {
  const together = workers();
  if (together === null) return await inShares(rangesOf(prompts, 1), work);
  const cores = device === 'cpu' ? availableParallelism() : 0;
  const own: SamplingProcess = { host: hostname(), threads: threads(), cores };
  const counts = samplingThreads(await together.gather(() => own));
  const ranges = rangesOf(prompts, counts.filter((count) => count > 0).length);
  let next = 0;
  const shares = counts.map((count) => (count > 0 ? ranges[next++]! : []));
  return await inShares(shares, async (range) => {
    setThreads(counts[together.rank]!);
    try {
      return await work(range);
    } finally {
      setThreads(own.threads);
    }
  });
}
