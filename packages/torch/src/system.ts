import { native, type TorchBuild } from './native.ts';

/** Version, build and abilities of the LibTorch in use. */
export const torchBuild = (): TorchBuild => native.build();

/** Threads an operator may use. */
export const threads = (): number => native.threads();
export function setThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`threads must be a whole number above 0, got ${count}`);
  native.threads(count);
}
export type { TorchBuild };
