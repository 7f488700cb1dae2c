import type { DType, Tensor } from '@keel/torch';

/**
 * A checkpoint's tensors under the names that transformers gives them, whatever the file calls
 * them.
 */
export interface WeightSource extends Disposable {
  /** Files in which tensors lie that were read without a copy. */
  mappedFiles(): string[];
  /** For messages: the file or folder. */
  readonly path: string;
  /** Linear weights are stored [in, out]. */
  readonly transposedLinears: boolean;
  /** Tensors that are read may be views of a mapped file: what writes to them copies them first. */
  readonly mapped: boolean;
  /** Tensors whose name stands for nothing in transformers keep the file's own. */
  names(): string[];
  /** null: there is no such tensor. */
  shape(name: string): number[] | null;
  /** What the file calls it. */
  nameInFile(name: string): string;
  /** Whether two tensors hold the same values. Both must exist. */
  equal(name: string, other: string): boolean;
  /** Whether a tensor that no module has is a buffer, which computes nothing here. */
  isBuffer(name: string): boolean;
  /** A new tensor on the CPU. @throws CheckpointError where its bytes cannot be read */
  read(name: string, dtype: DType): Tensor;
}
