import { availableMemory } from 'node:process';
import { type Device, tidy, zeros } from '@keel/torch';
import { fastest } from './matmul-peak.ts';

/** Memory bandwidth for large arrays. */
export interface MemoryBandwidth {
  /** Bytes read per second, from summing an array. */
  read: number;
  /** Bytes read and written per second, from copying an array; both directions count. */
  copy: number;
  /** Size of one array. */
  bytes: number;
}

export interface MemoryBandwidthOptions {
  device?: Device;
  /**
   * Size of one array (default: 512 MB, or an eighth of the free memory if that is less), larger
   * than any cache.
   */
  bytes?: number;
  /** Seconds for each of the two. */
  seconds?: number;
}

/** Measures with the current number of threads. Other busy processes lower the result. */
export function measureMemoryBandwidth({
  device = 'cpu',
  bytes = Math.min(512e6, availableMemory() / 8),
  seconds = 0.4,
}: MemoryBandwidthOptions = {}): MemoryBandwidth {
  return tidy(() => {
    const count = Math.floor(bytes / 4);
    const [from, to] = [zeros([count], { device }), zeros([count], { device })];
    // Write to the memory first, because the system allocates it on the first write.
    from.fill_(1);
    to.fill_(2);
    const wait = (): void => {
      if (device !== 'cpu') to.select(0, 0).item();
    };
    const reading = fastest(seconds, () => void from.sum().item());
    const copying = fastest(seconds, () => {
      to.copy_(from);
      wait();
    });
    return { read: (4 * count) / reading, copy: (8 * count) / copying, bytes: 4 * count };
  });
}
