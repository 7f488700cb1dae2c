import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import type { Device } from './dtype.ts';
import { native } from './native.ts';

/** Bytes that this process can still allocate on a device; on the CPU, within its control group. */
export function freeMemory(device: Device = 'cpu'): number {
  if (device !== 'cpu') return native.deviceMemory(device);
  return Math.min(freemem(), process.availableMemory() + reclaimable());
}

/**
 * Bytes of cached file pages, which the control group counts although the system drops them when
 * memory is short.
 */
function reclaimable(): number {
  try {
    const stat = readFileSync('/sys/fs/cgroup/memory.stat', 'utf8');
    return Number(/^inactive_file (\d+)$/m.exec(stat)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
