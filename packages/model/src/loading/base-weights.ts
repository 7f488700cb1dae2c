// How frozen base weights are held in memory: as elements of the compute type, or in blocks that
// products expand (torch/native/kernels/quantised).
import { type DType, dtypeBytes, ops, type Tensor, tidy } from '@keel/torch';
import type { WeightSource } from './weight-source.ts';

/**
 * `kept`: as the file stores them, if it stores them in blocks, BF16 or F16; `nf4`: linear layers
 * in NF4 with double quantisation (Dettmers et al. 2023, arXiv:2305.14314), as bitsandbytes
 * quantises them; `bf16`, `fp32`.
 */
export type BasePrecision = 'kept' | 'nf4' | 'bf16' | 'fp32';

const NF4_BLOCK = 64;
/** Weights that are expanded together. */
const GROUP = 32;

/** What a matrix is used for: NF4 quantises only linear layers, as bitsandbytes does. */
export type MatrixUse = 'linear' | 'embedding';

/**
 * Reads a matrix [out, in] that is not trained.
 * @returns null if it is to be read as elements of the compute type
 * @throws CheckpointError if its bytes cannot be read
 */
export function readBlocks(
  source: WeightSource,
  name: string,
  use: MatrixUse,
  { base, computeType }: { base: BasePrecision; computeType: DType },
): Tensor | null {
  const stored = source.shape(name)!;
  if (stored.length !== 2) return null;
  const turned = use === 'linear' && source.transposedLinears;
  const shape = turned ? stored.toReversed() : stored;
  const read = (dtype: DType): Tensor => {
    const weight = source.read(name, dtype);
    return (turned ? weight.t() : weight).contiguous();
  };
  if (base === 'nf4') {
    return use === 'linear' && shape[1]! % NF4_BLOCK === 0
      ? asNf4(source, name, read, { shape, computeType })
      : null;
  }
  if (shape[1]! % GROUP !== 0) return null;
  if (base === 'kept') return turned ? null : asStored(source, name, shape, computeType);
  if (base !== 'bf16' || computeType === 'bfloat16') return null;
  return tidy(() => {
    const bytes = ops.viewDtype(read('bfloat16').view(-1), 'uint8');
    return ops.quantised(bytes, 'BF16', shape, computeType);
  });
}

function asStored(
  source: WeightSource,
  name: string,
  shape: number[],
  computeType: DType,
): Tensor | null {
  const type = source.type(name);
  // These are what products take.
  const whole = type === 'F32' || type === 'F64' || (type === 'BF16' && computeType === 'bfloat16');
  const bytes = whole ? null : source.bytes(name);
  return bytes === null ? null : tidy(() => ops.quantised(bytes, type, shape, computeType));
}

function asNf4(
  source: WeightSource,
  name: string,
  read: (dtype: DType) => Tensor,
  { shape, computeType }: { shape: number[]; computeType: DType },
): Tensor {
  const weight = tidy(() => {
    const [bytes, scales] = ops.quantiseNf4(read('float32'));
    return ops.quantised(bytes, 'NF4_DOUBLE', shape, computeType, scales);
  });
  source.release(name);
  return weight;
}

/** The weight itself, or a new tensor with its elements. */
export const elementsOf = (weight: Tensor): Tensor =>
  ops.isQuantised(weight) ? ops.dequantise(weight) : weight;

/** The type of products and, if it is another, what the base is held in: `bf16, base kept`. */
export const heldAs = (
  precision: string,
  { basePrecision }: { basePrecision: BasePrecision | null },
): string => (basePrecision === null ? precision : `${precision}, base ${basePrecision}`);

/** Bytes of a weight in memory. */
export const heldBytes = (weight: Tensor): number =>
  ops.isQuantised(weight) ? ops.quantisedBytes(weight) : weight.size * dtypeBytes(weight.dtype);
