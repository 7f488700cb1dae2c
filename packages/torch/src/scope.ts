// Defines who frees a tensor: the scope that it was created in or, outside any scope, the garbage
// collector as a backstop.
import { type Handle, native } from './native.ts';
import { refusePromise } from './refuse-promise.ts';

/** What a scope needs from a tensor. */
export interface Owned {
  readonly handle: Handle;
  owner: Scope | null;
  /** @internal */
  forget(): void;
}

const finalizer = new FinalizationRegistry<Handle>((handle) => native.dispose(handle));
const open: Scope[] = [];

// A report to V8 visits every tensor. Two reports are at least this many milliseconds, or new
// tensors outside scopes, apart.
const REPORT_MILLISECONDS = 50;
const REPORT_TENSORS = 256;
let nextReport = REPORT_TENSORS;
let unreported = 0;
let nextReportAt = 0;

/**
 * Scopes drop tensors that were freed or taken away once there are this many and they are the
 * majority.
 */
const COMPACT_FROM = 1024;

function innermost(): Scope | undefined {
  return open.at(-1);
}

/** Reports memory outside V8's heap, so that V8 collects garbage in time. */
function report(): void {
  unreported = 0;
  const start = performance.now();
  nextReport = Math.max(REPORT_TENSORS, native.memory().tensors);
  const end = performance.now();
  // With very many tensors, reports take at most a twentieth of the time.
  nextReportAt = end + Math.max(REPORT_MILLISECONDS, 20 * (end - start));
}

/**
 * Frees the tensors that are created while it is the innermost open scope. Open it with `using
 * scope = new Scope()`, or preferably use {@link tidy}. Scopes may close in any order: each frees
 * only its own tensors.
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

  /** Records that it no longer owns one of its tensors. @internal */
  lose(): void {
    this.#lost += 1;
    if (this.#lost < COMPACT_FROM || this.#lost * 2 < this.#tensors.length) return;
    this.#tensors = this.#tensors.filter((tensor) => tensor.owner === this);
    this.#lost = 0;
  }

  /** The last scope opened before this one that is still open. @internal */
  get outer(): Scope | undefined {
    const index = open.lastIndexOf(this);
    return index > 0 ? open[index - 1] : undefined;
  }

  /** Until {@link enter}, new tensors do not belong to it. */
  leave(): void {
    const index = open.lastIndexOf(this);
    if (index >= 0) open.splice(index, 1);
  }

  /** Makes it the innermost scope again. @returns a function that leaves it */
  enter(): () => void {
    open.push(this);
    return () => this.leave();
  }

  /** Moves the tensors of a result to the outer scope. @internal */
  release<T>(result: T): T {
    handOver(result, this, this.outer, new Set());
    return result;
  }

  /** Frees everything that the scope still owns. */
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

/** Leaves the tensor to the garbage collector. */
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
 * Takes a tensor out of its scope, so that it lives until it is disposed or collected. Returns the
 * tensor.
 * @throws Error if it is already disposed
 */
export function keep<T extends Owned>(tensor: T): T {
  const { owner } = tensor;
  if (owner !== null) {
    tensor.owner = null;
    owner.lose();
    leaveToCollector(tensor);
  } else if (!native.alive(tensor.handle)) {
    throw new Error('keep: the tensor was disposed');
  }
  return tensor;
}

const isOwned = (value: object): value is Owned => 'handle' in value && 'forget' in value;

/**
 * Moves the tensors of a result to the outer scope. `seen` handles results that contain themselves.
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
 * Runs `body`, and frees every tensor created in it except those in its result (a tensor, or
 * arrays, maps, sets and plain objects of tensors), which move to the surrounding scope.
 * Synchronous only.
 * @throws Error if `body` returns a promise, because tensors that it creates later would escape the
 *   scope.
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
 * Number of live tensors of this JavaScript thread, and the bytes of their distinct storages.
 * Memory that only LibTorch holds (gradients, tensors saved in a graph) is not included.
 */
export const memory = (): { tensors: number; bytes: number } => native.memory();
