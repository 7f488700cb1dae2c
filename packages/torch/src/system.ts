import { basename, dirname } from 'node:path';
import { addonPath } from './locate-libtorch.mjs';
import { native, type TorchBuild } from './native.ts';

/** Version, build and abilities of the LibTorch in use. */
export const torchBuild = (): TorchBuild => native.build();

/** Names LibTorch's version and the addon's sources: where it differs, last bits of results may. */
export const addonBuild = (): string => basename(dirname(addonPath() as string));

/**
 * Gives memory that was freed but is still the process's back to the system, where the C library
 * can: after loading a model.
 */
export const trimMemory = (): void => native.trimMemory();

/** Threads an operator may use. */
export const threads = (): number => native.threads();
export function setThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`threads must be a whole number above 0, got ${count}`);
  native.threads(count);
}
export type { TorchBuild };
