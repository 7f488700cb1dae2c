import { type DType, dtypeBytes } from './dtype.ts';
import { native } from './native.ts';
import * as ops from './ops.generated.ts';
import type { Tensor } from './tensor.ts';

/**
 * LibTorch aligns its allocations to this. With unaligned operands, vectorised products may round
 * differently.
 */
const ALIGNMENT = 64;

/**
 * A file mapped into memory. Its pages are read when they are used, shared by all processes that
 * map the file, and dropped when memory is short. The mapping lives as long as this object or any
 * of its tensors.
 */
export class MappedFile implements Disposable {
  readonly #bytes: Tensor;

  /**
   * @param size the file's size in bytes, above 0
   * @throws Error if the file is missing, smaller or cannot be mapped
   */
  constructor(path: string, size: number) {
    // Private mapping: a page is copied before it is written to, so the file stays unchanged.
    this.#bytes = ops.fromFile(path, false, size, 'uint8').keep();
    // If the file is truncated, the process crashes when it reads a missing page. The name lets it
    // say why.
    native.nameMapping(this.#bytes.handle, path);
  }

  /**
   * Elements from a byte position as a tensor of this shape, on the CPU and without a copy.
   * @throws RangeError if `position` is not a multiple of the element's size, or the file is too
   *   short
   */
  tensor(position: number, dtype: DType, shape: readonly number[]): Tensor {
    const length = shape.reduce((product, extent) => product * extent, dtypeBytes(dtype));
    if (position % dtypeBytes(dtype) !== 0 || position + length > this.#bytes.size) {
      throw new RangeError(
        `${length} bytes of ${dtype} at ${position} are not aligned, or are outside the ${this.#bytes.size} bytes of the file`,
      );
    }
    using part = this.#bytes.narrow(0, position, length);
    using typed = ops.viewDtype(part, dtype);
    return typed.view(...shape);
  }

  /** Drops pages that were read and are not needed soon. No tensor may have been written to. */
  drop(position: number, length: number): void {
    using part = this.#bytes.narrow(0, position, length);
    native.dropPages(part.handle);
  }

  /** Whether tensors that start there are aligned as LibTorch's own are. */
  static isAligned(position: number): boolean {
    return position % ALIGNMENT === 0;
  }

  [Symbol.dispose](): void {
    this.#bytes.dispose();
  }
}
