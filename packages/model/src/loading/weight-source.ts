import type { DType, Tensor } from '@keel/torch';

/** A checkpoint's tensors under transformers' names, whatever their names in the file. */
export interface WeightSource extends Disposable {
  /** The files in which tensors that were read without a copy are stored. */
  mappedFiles(): string[];
  /** The file or folder, for messages. */
  readonly path: string;
  /** Linear weights are stored [in, out]. */
  readonly transposedLinears: boolean;
  /** Tensors that are read may be views of a mapped file; copy them before writing to them. */
  readonly mapped: boolean;
  /** Tensors without a counterpart in transformers keep the file's own name. */
  names(): string[];
  /** null: there is no such tensor. */
  shape(name: string): number[] | null;
  /** The type in which the file stores a tensor, by the file's own name for it. It must exist. */
  type(name: string): string;
  /** The tensor's name in the file. */
  nameInFile(name: string): string;
  /** Whether two tensors have the same values. Both must exist. */
  equal(name: string, other: string): boolean;
  /** Whether a tensor that no module has is a buffer that does not affect the result. */
  isBuffer(name: string): boolean;
  /**
   * The bytes of a stored matrix, uint8 and row by row, on the CPU: blocks, BF16 or F16. null if
   * they must be converted.
   * @throws CheckpointError if they cannot be read
   */
  bytes(name: string): Tensor | null;
  /** Says that a tensor will not be read again, so that its pages need not stay in memory. */
  release(name: string): void;
  /** A new tensor on the CPU. @throws CheckpointError if its bytes cannot be read */
  read(name: string, dtype: DType): Tensor;
}
