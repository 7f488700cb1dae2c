// `keel doctor --bench`: measures this machine's peak speeds.
import { type Device, setThreads, threads, torchBuild } from '@keel/torch';
import { keepPeak } from './kept-peak.ts';
import { measureMatmulPeak } from './matmul-peak.ts';
import { type MemoryBandwidth, measureMemoryBandwidth } from './memory-bandwidth.ts';

export interface MatmulBench {
  device: Device;
  precision: 'fp32' | 'bf16';
  threads: number;
  /** Floating-point operations per second, the best of all sizes. */
  flops: number;
  /** Rows and columns of the matrices with that speed. */
  size: number;
}

export interface MemoryBench extends MemoryBandwidth {
  device: Device;
  threads: number;
}

export interface MachineBench {
  matmul: MatmulBench[];
  memory: MemoryBench[];
}

const sizes = [512, 1024, 2048, 4096];

/**
 * Measures matmul and memory with all threads and with one, and on the accelerator if there is one.
 * Caches the peaks for the utilisation that runs report. Takes some seconds and blocks the thread,
 * except while it awaits `progress`.
 */
export async function benchMachine(
  progress: (done: number, all: number, what: string) => Promise<void> | void = () => {},
): Promise<MachineBench> {
  const all = threads();
  const places: { device: Device; threads: number }[] = [...new Set([all, 1])].map((count) => ({
    device: 'cpu',
    threads: count,
  }));
  if (torchBuild().cudaDevices > 0) places.push({ device: 'cuda', threads: all });
  const found: MachineBench = { matmul: [], memory: [] };
  const total = 3 * places.length;
  let done = 0;
  try {
    for (const place of places) {
      const { device } = place;
      setThreads(place.threads);
      const where =
        device === 'cpu' ? `${place.threads} thread${place.threads === 1 ? '' : 's'}` : device;
      for (const precision of ['bf16', 'fp32'] as const) {
        await progress(done++, total, `matmul, ${precision}, ${where}`);
        const peak = measureMatmulPeak(precision, {
          ...{ device, secondsPerSize: 0.2 },
          ...(device === 'cpu' && { sizes }),
        });
        keepPeak(peak, precision, device);
        found.matmul.push({ ...place, precision, ...peak });
      }
      await progress(done++, total, `memory, ${where}`);
      found.memory.push({ ...place, ...measureMemoryBandwidth({ device, seconds: 0.25 }) });
    }
    await progress(done, total, 'done');
  } finally {
    setThreads(all);
  }
  return found;
}
