// Loads the compiled addon. The rest of this package accesses it through `native`. Each worker
// thread that loads it has its own tensors, freed when the thread ends; a tensor cannot be passed
// to another thread. LibTorch's random state and its number of threads belong to the process.
import { createRequire } from 'node:module';
import { addonPath } from './locate-libtorch.mjs';

/** A tensor of the addon: a number that is never reused. */
export type Handle = number;

/** One argument of an operator, as the dispatcher declares it. */
export interface SchemaArgument {
  name: string;
  type: string;
  hasDefault: boolean;
  keywordOnly: boolean;
}

/** One overload of an operator. */
export interface OperatorSchema {
  overload: string;
  schema: string;
  arguments: SchemaArgument[];
  returns: string[];
}

/** LibTorch's version and build. */
export interface TorchBuild {
  version: string;
  config: string;
  parallel: string;
  cpuCapability: string;
  cuda: boolean;
  cudaDevices: number;
}

/** The compiled addon is missing or does not load. The message says what to do. */
export class AddonError extends Error {
  override readonly name = 'AddonError';
}

interface Native {
  call(operator: number, ...args: unknown[]): unknown;
  /**
   * Mean time of a call within C++, in nanoseconds, over `count` calls: a benchmark subtracts it.
   */
  timeCall(operator: number, count: number, ...args: unknown[]): number;
  findOperator(name: string, overload: string): number;
  schemas(name: string): OperatorSchema[];
  dispose(handle: Handle): boolean;
  disposeAll(handles: Handle[]): void;
  alive(handle: Handle): boolean;
  shape(handle: Handle): number[];
  strides(handle: Handle): number[];
  scalarType(handle: Handle): number;
  device(handle: Handle): string;
  requiresGrad(handle: Handle): boolean;
  setRequiresGrad(handle: Handle, flag: boolean): void;
  /** Allocates or frees the memory of a whole tensor and of all tensors that share it. */
  setAllocated(handle: Handle, flag: boolean): void;
  gradient(handle: Handle): Handle | null;
  setGradient(handle: Handle, gradient: Handle | null): void;
  backward(handle: Handle, gradient?: Handle): void;
  /** Backward from several tensors at once, each with its seed. */
  backwardAll(handles: Handle[], seeds: Handle[]): void;
  gradients(outputs: Handle[], inputs: Handle[], seeds: Handle[]): (Handle | null)[];
  setGradEnabled(flag: boolean): boolean;
  fromBytes(data: ArrayBufferView, scalarType: number, shape: readonly number[]): Handle;
  toBytes(handle: Handle, into: ArrayBufferView): void;
  item(handle: Handle): number;
  seed(device: string, seed: number | bigint): void;
  randomState(device: string): Handle;
  setRandomState(device: string, state: Handle): void;
  memory(): { tensors: number; bytes: number };
  /** Free bytes on an accelerator. */
  deviceMemory(device: string): number;
  /** Returns free memory that the C library holds to the system, if possible. */
  trimMemory(): void;
  /** Names a mapped file for the SIGBUS message after the file was truncated. */
  nameMapping(handle: Handle, path: string): void;
  /** Returns the pages of a part of a mapped file, unchanged since it was mapped, to the system. */
  dropPages(handle: Handle): void;
  threads(count?: number): number;
  build(): TorchBuild;
  /** Kinds of process groups, such as gloo; none where LibTorch is built without. */
  distributedBackends(): string[];
  /** Times are in milliseconds. */
  storeOpen(host: string, port: number, serves: boolean, timeout: number): Promise<number>;
  storeSet(store: number, key: string, value: string): Promise<void>;
  storeGet(store: number, key: string, timeout: number): Promise<string>;
  storeHas(store: number, key: string): Promise<boolean>;
  groupOpen(
    store: number,
    backend: string,
    name: string,
    rank: number,
    size: number,
    timeout: number,
  ): Promise<number>;
  groupCall(
    group: number,
    collective: string,
    tensors: Handle[],
    into: Handle[],
    operation: string,
    root: number,
    timeout: number,
  ): Promise<void>;
  /** As `groupCall`, but this thread waits for the end of the collective. */
  groupCallNow(
    group: number,
    collective: string,
    tensors: Handle[],
    into: Handle[],
    operation: string,
    root: number,
    timeout: number,
  ): void;
  groupClose(group: number): Promise<void>;
  /**
   * Adds up gradients while backward runs. Of each bucket, its tensors, their first elements, and
   * the elements of a rank's part.
   */
  exchangeOpen(
    group: number,
    tensors: Handle[][],
    offsets: number[][],
    parts: number[],
    keepsParts: boolean,
    timeout: number,
  ): number;
  /** From now on, each gradient that is added is whole. */
  exchangeBegin(exchange: number): void;
  /**
   * No gradient is added from now on until `exchangeNext`. @returns the number of buckets that were
   * begun, tensors in the order in which their gradients were whole, and whether a gradient was
   * refused because it came too late
   */
  exchangeEnd(exchange: number): { begun: number; whole: number[]; refused: boolean };
  exchangeLaunch(exchange: number, buckets: number[]): void;
  /** Another step, with this order of buckets. */
  exchangeNext(exchange: number, buckets: number[]): void;
  exchangeWait(exchange: number): Promise<void>;
  exchangeFailure(exchange: number): { collective: string; milliseconds: number };
  /** The sum of this rank's part of a bucket, if it was sent. */
  exchangeTake(exchange: number, bucket: number): Handle | null;
  exchangeClose(exchange: number): void;
  profileStart(most: number): void;
  profileRange(name: string): void;
  profileRangeEnd(): void;
  profileStop(): { names: string[]; inputs: string[]; events: Float64Array; missed: number };
}

/** Shared by all copies of this module in a thread: the path of the loaded addon. */
const addonKey = Symbol.for('keel.torch.addon');

function load(): Native {
  // GNU OpenMP's threads spin 300,000 times before they sleep. When other processes are busy, that
  // delays the threads that they are waiting for (docs/results/engine.md). OpenMP reads the
  // variable when LibTorch loads it.
  if (process.env.OMP_WAIT_POLICY === undefined) process.env.GOMP_SPINCOUNT ??= '10000';
  // c10d writes a stack trace for each connection that another process closes.
  process.env.TORCH_CPP_LOG_LEVEL ??= 'ERROR';
  const path = builtAddon();
  const loaded = globalThis as { [addonKey]?: string };
  const other = loaded[addonKey];
  // LibTorch ends the process if operators are registered twice.
  if (other !== undefined && other !== path) {
    throw new AddonError(
      `This program has two versions of @keel/torch: the addon ${other} is loaded, so ${path} ` +
        'cannot be. Run `npm ls @keel/torch`, and install one version.',
    );
  }
  try {
    const addon = createRequire(import.meta.url)(path) as Native;
    loaded[addonKey] = path;
    return addon;
  } catch (cause) {
    throw new AddonError(
      `The LibTorch addon ${path} cannot be loaded. Run \`npx keel setup\` to compile it again.`,
      { cause },
    );
  }
}

/** Path of the compiled addon. @throws AddonError if there is none */
export function builtAddon(): string {
  const path = addonPath();
  if (path !== null) return path;
  throw new AddonError('The LibTorch addon is not compiled. Run `npx keel setup`.');
}

/** Loaded at its first use: a program may import Keel for what needs no LibTorch. */
export let native: Native = new Proxy({} as Native, {
  get(_, name) {
    // Importers see the new value: the next use is direct.
    native = load();
    return native[name as keyof Native];
  },
});
