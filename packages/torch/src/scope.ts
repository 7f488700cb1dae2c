// Who frees a tensor: the scope it was made in, or, outside of any, the garbage collector as a
// safety net.
import { type Handle, native } from './native.ts';
import { refusePromise } from './refuse-promise.ts';

/** What a scope needs of a tensor. */
export interface Owned {
  readonly handle: Handle;
  owner: Scope | null;
  /** @internal */
  forget(): void;
}

const finalizer = new FinalizationRegistry<Handle>((handle) => native.dispose(handle));
const open: Scope[] = [];

// A report to V8 looks at every tensor. At least so many milliseconds, or new tensors outside of
// scopes, lie between two.
const REPORT_MILLISECONDS = 50;
const REPORT_TENSORS = 256;
let nextReport = REPORT_TENSORS;
let unreported = 0;
let nextReportAt = 0;

/** Scopes forget tensors that were freed or taken away once these are many and the greater part. */
const COMPACT_FROM = 1024;

function innermost(): Scope | undefined {
  return open.at(-1);
}

/** Tells V8 what lies outside its heap, so that it collects in time. */
function report(): void {
  unreported = 0;
  const start = performance.now();
  nextReport = Math.max(REPORT_TENSORS, native.memory().tensors);
  const end = performance.now();
  // With very many tensors, reports take at most a twentieth of the time.
  nextReportAt = end + Math.max(REPORT_MILLISECONDS, 20 * (end - start));
}

/**
 * Frees the tensors made while it is the innermost open scope. Open with
 * `using scope = new Scope()`, or better use {@link tidy}. Scopes may close in any order: each
 * frees only what is its own.
 */
export class Scope {
  #tensors: Owned[] = [];
  #lost = 0;
  #closed = false;

  constructor() {
    open.push(this);
  }

  /** @internal */
  adopt(tensor: Owned): void {
    tensor.owner = this;
    this.#tensors.push(tensor);
  }

  /** One of its tensors is no longer its own. @internal */
  lose(): void {
    this.#lost += 1;
    if (this.#lost < COMPACT_FROM || this.#lost * 2 < this.#tensors.length) return;
    this.#tensors = this.#tensors.filter((tensor) => tensor.owner === this);
    this.#lost = 0;
  }

  /** The scope that was opened before it and is still open. @internal */
  get outer(): Scope | undefined {
    const index = open.lastIndexOf(this);
    return index > 0 ? open[index - 1] : undefined;
  }

  /** Until {@link enter}, tensors are made outside of it. */
  leave(): void {
    const index = open.lastIndexOf(this);
    if (index >= 0) open.splice(index, 1);
  }

  /** Makes it the innermost one again. @returns what leaves it */
  enter(): () => void {
    open.push(this);
    return () => this.leave();
  }

  /** Gives the tensors of a result to the scope outside. @internal */
  release<T>(result: T): T {
    handOver(result, this, this.outer, new Set());
    return result;
  }

  /** Frees everything the scope still owns. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.leave();
    const handles: Handle[] = [];
    for (const tensor of this.#tensors) {
      if (tensor.owner !== this) continue;
      handles.push(tensor.handle);
      tensor.forget();
    }
    this.#tensors = [];
    native.disposeAll(handles);
    if (open.length === 0 && performance.now() >= nextReportAt) report();
  }
}

/** Lets the garbage collector free the tensor. */
function leaveToCollector(tensor: Owned): void {
  finalizer.register(tensor, tensor.handle, tensor);
  unreported += 1;
  if (unreported >= nextReport) report();
}

/** Gives a new tensor to the innermost scope. @internal */
export function register(tensor: Owned): void {
  const scope = innermost();
  if (scope !== undefined) scope.adopt(tensor);
  else leaveToCollector(tensor);
}

/** @internal */
export function unregister(tensor: Owned): void {
  const { owner } = tensor;
  tensor.owner = null;
  if (owner === null) finalizer.unregister(tensor);
  else owner.lose();
}

/**
 * Takes a tensor out of its scope: it lives until it is disposed (or collected). Returns it.
 * @throws Error when it is disposed already
 */
export function keep<T extends Owned>(tensor: T): T {
  const { owner } = tensor;
  if (owner !== null) {
    tensor.owner = null;
    owner.lose();
    leaveToCollector(tensor);
  } else if (!native.alive(tensor.handle)) {
    throw new Error('keep: the tensor was disposed and is used again');
  }
  return tensor;
}

const isOwned = (value: object): value is Owned => 'handle' in value && 'forget' in value;

/**
 * Gives the tensors of a result to the scope outside. `seen` ends results that contain themselves.
 */
function handOver(value: unknown, from: Scope, to: Scope | undefined, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (isOwned(value)) {
    if (value.owner !== from) return;
    if (to !== undefined) to.adopt(value);
    else keep(value);
  } else if (Array.isArray(value) || value instanceof Set || value instanceof Map) {
    for (const element of value.values()) handOver(element, from, to, seen);
  } else if ([Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    for (const element of Object.values(value)) handOver(element, from, to, seen);
  }
}

/**
 * Runs `body` and frees every tensor made in it, but those in its result (a tensor, or arrays,
 * maps, sets and plain objects of tensors), which go to the surrounding scope. Synchronous only.
 * @throws Error when `body` returns a promise: what it makes later would escape the scope.
 */
export function tidy<T>(body: () => T): T {
  const scope = new Scope();
  try {
    return scope.release(refusePromise(body(), 'tidy', '. Use `using scope = new Scope()`'));
  } finally {
    scope[Symbol.dispose]();
  }
}

/**
 * Live tensors of this JavaScript thread and the bytes of their distinct storages. What only
 * LibTorch holds (gradients, what a graph has saved) is not in it.
 */
export const memory = (): { tensors: number; bytes: number } => native.memory();
