// Who frees a tensor: the scope it was made in, or, outside of any, the garbage collector as a safety net.
import { type Handle, native } from './native.ts';

/** What a scope needs of a tensor. */
export interface Owned {
  readonly handle: Handle;
  owner: Scope | null;
  /** @internal */
  forget(): void;
}

const finalizer = new FinalizationRegistry<Handle>((handle) => native.dispose(handle));
const open: Scope[] = [];

/**
 * Frees the tensors made while it is the innermost open scope. Open with `using scope = new Scope()`,
 * or better use {@link tidy}. Scopes may close in any order: each frees only what is its own.
 */
export class Scope {
  #tensors: Owned[] = [];
  #closed = false;

  constructor() {
    open.push(this);
  }

  /** @internal */
  adopt(tensor: Owned): void {
    tensor.owner = this;
    this.#tensors.push(tensor);
  }

  /** Frees everything the scope still owns. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    open.splice(open.lastIndexOf(this), 1);
    const handles: Handle[] = [];
    for (const tensor of this.#tensors) {
      if (tensor.owner !== this) continue;
      handles.push(tensor.handle);
      tensor.forget();
    }
    this.#tensors = [];
    native.disposeAll(handles);
    // Tells V8 what lies outside its heap; only at the outermost end, since it looks at every tensor.
    if (open.length === 0) native.memory();
  }
}

/** Gives a new tensor to the innermost scope. @internal */
export function register(tensor: Owned): void {
  const scope = open.at(-1);
  if (scope !== undefined) scope.adopt(tensor);
  else finalizer.register(tensor, tensor.handle, tensor);
}

/** @internal */
export function unregister(tensor: Owned): void {
  if (tensor.owner === null) finalizer.unregister(tensor);
  tensor.owner = null;
}

/** Takes a tensor out of its scope: it lives until it is disposed (or collected). Returns it. */
export function keep<T extends Owned>(tensor: T): T {
  if (tensor.owner !== null) {
    tensor.owner = null;
    finalizer.register(tensor, tensor.handle, tensor);
  }
  return tensor;
}

const isOwned = (value: object): value is Owned => 'handle' in value && 'forget' in value;

function handOver(value: unknown, from: Scope): void {
  if (typeof value !== 'object' || value === null) return;
  if (isOwned(value)) {
    if (value.owner !== from) return;
    const outer = open.at(-1);
    if (outer !== undefined) outer.adopt(value);
    else keep(value);
  } else if (Array.isArray(value)) {
    for (const element of value) handOver(element, from);
  } else if (value instanceof Map) {
    for (const element of value.values()) handOver(element, from);
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const element of Object.values(value)) handOver(element, from);
  }
}

/**
 * Runs `body` and frees every tensor made in it, but those in its result (a tensor, or arrays, maps and
 * plain objects of tensors), which go to the surrounding scope. Synchronous only.
 * @throws Error when `body` returns a promise: what it makes later would escape the scope.
 */
export function tidy<T>(body: () => T): T {
  const scope = new Scope();
  try {
    const result = body();
    if (result instanceof Promise) {
      result.catch(() => {});
      throw new Error(
        'tidy() takes a synchronous function; this one returned a promise. Use `using scope = new Scope()`',
      );
    }
    open.splice(open.lastIndexOf(scope), 1);
    handOver(result, scope);
    open.push(scope);
    return result;
  } finally {
    scope[Symbol.dispose]();
  }
}

/** Live tensors and the bytes of their distinct storages. */
export const memory = (): { tensors: number; bytes: number } => native.memory();
