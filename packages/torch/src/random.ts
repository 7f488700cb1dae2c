// LibTorch's random state of a device: seeded, saved and restored, so that a run can resume
// exactly.
import { fromBytes } from './create.ts';
import type { Device } from './dtype.ts';
import { native } from './native.ts';
import { refusePromise } from './refuse-promise.ts';
import { Tensor } from './tensor.ts';

/**
 * Seeds the device's random state, which all threads of the process share.
 * @param seed whole number from 0; a BigInt (up to 2^64 - 1) if a number would not be exact
 * @throws Error for other seeds
 */
export const manualSeed = (seed: number | bigint, device: Device = 'cpu'): void =>
  native.seed(device, seed);

/** The device's random state, for saving in a checkpoint. */
export function randomState(device: Device = 'cpu'): Uint8Array {
  using state = new Tensor(native.randomState(device));
  return state.toTypedArray() as Uint8Array;
}

/** @throws Error if the bytes are not a random state. */
export function setRandomState(state: Uint8Array, device: Device = 'cpu'): void {
  using bytes = fromBytes(state, 'uint8', [state.length]);
  native.setRandomState(device, bytes.handle);
}

/**
 * Runs `body` with its own random seed, and restores the state. Synchronous only.
 * @throws Error if `body` returns a promise
 */
export function withSeed<T>(seed: number | bigint, body: () => T, device: Device = 'cpu'): T {
  const before = randomState(device);
  try {
    manualSeed(seed, device);
    return refusePromise(body(), 'withSeed');
  } finally {
    setRandomState(before, device);
  }
}
