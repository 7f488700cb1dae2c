import { availableMemory } from 'node:process';
import { type Device, tidy, zeros } from '@keel/torch';
import { fastest } from './matmul-peak.ts';

/** How fast large arrays go to and from memory. */
export interface MemoryBandwidth {
  /** Bytes a second that are read: the sum of an array. */
  read: number;
  /** Bytes a second that are read and written: an array copied onto another, both counted. */
  copy: number;
  /** Of one array. */
  bytes: number;
}

export interface MemoryBandwidthOptions {
  device?: Device;
  /**
   * Of one array; unless told 512 MB, or an eighth of the free memory where that is less. Caches
   * hold less.
   */
  bytes?: number;
  /** For each of the two. */
  seconds?: number;
}

/** Measures with the threads in use. Another busy process makes it too low. */
export function measureMemoryBandwidth({
  device = 'cpu',
  bytes = Math.min(512e6, availableMemory() / 8),
  seconds = 0.4,
}: MemoryBandwidthOptions = {}): MemoryBandwidth {
  return tidy(() => {
    const count = Math.floor(bytes / 4);
    const [from, to] = [zeros([count], { device }), zeros([count], { device })];
    // Memory that was never written is not there yet.
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
