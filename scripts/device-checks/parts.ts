// What the parts of `scripts/device-check` have in common.
import { spawnSync } from 'node:child_process';

export type PartName = 'build' | 'golden' | 'steps' | 'memory' | 'sft' | 'dpo';

export interface PartOptions {
  device: string;
  size: 'full' | 'small';
  /** A folder for files. */
  folder: string;
}

/** What a part found, and whether it is as it should be. */
export interface PartResult {
  passed: boolean;
  found: unknown;
}

/** Seconds that each part may take: ten minutes in all. */
export const partLimits: Record<PartName, number> = {
  build: 240,
  golden: 30,
  steps: 100,
  memory: 30,
  sft: 110,
  dpo: 90,
};

/** The GPU's name, driver and memory, as nvidia-smi prints them; null where there is none. */
export function gpuName(): string | null {
  const query = '--query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit';
  const { status, stdout } = spawnSync('nvidia-smi', [query, '--format=csv,noheader'], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : null;
}
