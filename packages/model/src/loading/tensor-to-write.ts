import { type DType, type Tensor, tidy, withElements } from '@keel/torch';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import { elementsOf } from './base-weights.ts';

/** Types in which weights can be saved, by safetensors' names. */
export type SavedDType = 'F32' | 'BF16' | 'F16';

export const savedTypes: Record<SavedDType, DType> = {
  F32: 'float32',
  BF16: 'bfloat16',
  F16: 'float16',
};

/** A tensor for a safetensors file, converted when it is written. A matrix may be transposed. */
export function tensorToWrite(
  name: string,
  tensor: Tensor,
  dtype: SavedDType,
  transposed = false,
): TensorToWrite {
  return {
    name,
    dtype,
    shape: transposed ? tensor.shape.toReversed() : tensor.shape,
    data: () =>
      withElements(tensor, () =>
        tidy(() => {
          const whole = elementsOf(tensor).detach();
          const own = transposed ? whole.t() : whole;
          const { buffer, byteOffset, byteLength } = own
            .to({ dtype: savedTypes[dtype], device: 'cpu' })
            .contiguous()
            .toTypedArray();
          return new Uint8Array(buffer, byteOffset, byteLength);
        }),
      ),
  };
}
