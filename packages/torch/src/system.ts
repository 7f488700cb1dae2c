import { basename, dirname } from 'node:path';
import { builtAddon, native, type TorchBuild } from './native.ts';

/** Version, build and features of the LibTorch in use. */
export const torchBuild = (): TorchBuild => native.build();

/**
 * Identifies LibTorch's version and the addon's sources. If it differs, results may differ in their
 * last bits.
 * @throws AddonError if the addon is not compiled
 */
export const addonBuild = (): string => basename(dirname(builtAddon()));

/**
 * Returns freed memory that the process still holds to the system, if the C library supports it.
 * Useful after loading a model.
 */
export const trimMemory = (): void => native.trimMemory();

/** Number of threads that an operator may use. */
export const threads = (): number => native.threads();
/** Sets the number of threads of one operator. @throws RangeError for other numbers than 1, 2, … */
export function setThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`threads must be a whole number above 0, got ${count}`);
  native.threads(count);
}
export type { TorchBuild };
