import { noGrad } from './autograd.ts';
import { cat } from './create.ts';
import { keep, tidy } from './scope.ts';
import type { Tensor } from './tensor.ts';

/** Tensors by name, or nothing under a name. */
export type NamedTensors = Readonly<Record<string, Tensor | null | undefined>>;

/** The elements of tensors by their names, row-major; what is absent stays so. */
export type Read<Tensors> = {
  [Name in keyof Tensors]: number[] | Exclude<Tensors[Name], Tensor>;
};

/** A value of numbers that the device may still have to compute; {@link readAll} reads it. */
export class Unread<Value> implements Disposable {
  /** [N] float64; null: no tensors */
  readonly #numbers: Tensor | null;
  readonly #use: (numbers: readonly number[]) => Value;

  constructor(numbers: Tensor | null, use: (numbers: readonly number[]) => Value) {
    this.#numbers = numbers;
    this.#use = use;
  }

  /** The numbers on their device: [N] float64; null: there are none. */
  get numbers(): Tensor | null {
    return this.#numbers;
  }

  /** @param numbers its own */
  value(numbers: readonly number[]): Value {
    return this.#use(numbers);
  }

  [Symbol.dispose](): void {
    this.#numbers?.dispose();
  }
}

/**
 * Copies the elements of several tensors on one device, without waiting for them. They are read
 * with others at once: an accelerator is waited for at each read.
 * @param use makes the value of them, when they are read
 */
export function later<Tensors extends NamedTensors, Value>(
  tensors: Tensors,
  use: (read: Read<Tensors>) => Value,
): Unread<Value> {
  const present = Object.values(tensors).filter((one) => one != null);
  // All types but int64 above 2^53 are exact in float64.
  const copy = (): Tensor =>
    keep(cat(present.map((one) => one.detach().reshape(-1).to('float64'))));
  const numbers = present.length === 0 ? null : noGrad(() => tidy(copy));
  // The tensors themselves may be freed before they are read.
  const places = Object.entries(tensors).map(([name, one]) =>
    one == null ? { name, absent: one, size: null } : { name, absent: null, size: one.size },
  );
  return new Unread(numbers, (all) => {
    let start = 0;
    const read = places.map(({ name, absent, size }) => {
      if (size === null) return [name, absent];
      start += size;
      return [name, all.slice(start - size, start)];
    });
    return use(Object.fromEntries(read) as Read<Tensors>);
  });
}

/** Reads all of them with a single wait, and frees them. @returns their values, in order */
export function readAll<Value>(unread: readonly Unread<Value>[]): Value[] {
  const present = unread.flatMap(({ numbers }) => numbers ?? []);
  const sizes = unread.map(({ numbers }) => numbers?.size ?? 0);
  const all = present.length === 0 ? [] : noGrad(() => tidy(() => cat(present).toArray()));
  for (const one of unread) one[Symbol.dispose]();
  let start = 0;
  return unread.map((one, index) => {
    start += sizes[index]!;
    return one.value(all.slice(start - sizes[index]!, start));
  });
}

/**
 * The elements of several tensors on one device, row-major, by the same names. An accelerator is
 * waited for once, where reading one after the other waits for each. Names without a tensor stay
 * null or undefined.
 */
export function readTogether<Tensors extends NamedTensors>(tensors: Tensors): Read<Tensors> {
  return readAll([later(tensors, (read) => read)])[0]!;
}
