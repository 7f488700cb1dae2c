import { type DType, dtypeBytes } from './dtype.ts';
import { native } from './native.ts';
import * as ops from './ops.generated.ts';
import type { Tensor } from './tensor.ts';

/**
 * LibTorch aligns what it allocates so; vectorised products may round otherwise where their
 * operands are not.
 */
const ALIGNMENT = 64;

/**
 * A file in memory without having been read: its pages come when they are used, are shared by all
 * processes that map the file, and go again where memory is short. The mapping lives as long as
 * this or any of its tensors does.
 */
export class MappedFile implements Disposable {
  readonly #bytes: Tensor;

  /**
   * @param size the file's size in bytes, above 0
   * @throws Error when the file is absent, smaller or cannot be mapped
   */
  constructor(path: string, size: number) {
    // Private: a page that is written to is copied first, and the file stays as it is.
    this.#bytes = ops.fromFile(path, false, size, 'uint8').keep();
    // Where the file is cut, the process ends at the next page that is gone: it can at least say
    // why.
    native.nameMapping(this.#bytes.handle, path);
  }

  /**
   * Elements from a byte on as a tensor of this shape, on the CPU and without a copy.
   * @throws RangeError when `position` is no multiple of the element's size, or the file is too
   *   short
   */
  tensor(position: number, dtype: DType, shape: readonly number[]): Tensor {
    const length = shape.reduce((product, extent) => product * extent, dtypeBytes(dtype));
    if (position % dtypeBytes(dtype) !== 0 || position + length > this.#bytes.size) {
      throw new RangeError(
        `${length} bytes of ${dtype} at ${position} do not lie, aligned, in the ${this.#bytes.size} of the file`,
      );
    }
    using part = this.#bytes.narrow(0, position, length);
    using typed = ops.viewDtype(part, dtype);
    return typed.view(...shape);
  }

  /** Whether tensors that begin there are aligned as LibTorch's own are. */
  static isAligned(position: number): boolean {
    return position % ALIGNMENT === 0;
  }

  [Symbol.dispose](): void {
    this.#bytes.dispose();
  }
}
