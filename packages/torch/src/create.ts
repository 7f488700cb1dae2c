import { type Device, type DType, dtypeCode, dtypeOfArray, type TypedArray } from './dtype.ts';
import { native } from './native.ts';
import * as ops from './ops.generated.ts';
import { Tensor } from './tensor.ts';

export interface TensorOptions {
  dtype?: DType;
  device?: Device;
}

type Nested = number | readonly Nested[];

function shapeOf(data: Nested): number[] {
  if (typeof data === 'number') return [];
  const [first] = data;
  return [data.length, ...(first === undefined ? [] : shapeOf(first))];
}

/**
 * A tensor from nested arrays of numbers, float32 unless named otherwise.
 * @throws Error when the arrays are ragged.
 */
export function tensor(
  data: Nested,
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor {
  const shape = shapeOf(data);
  const flat = (
    typeof data === 'number' ? [data] : (data as number[]).flat(Number.POSITIVE_INFINITY)
  ) as number[];
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (flat.length !== size) {
    throw new Error(
      `ragged data: a tensor of shape [${shape}] needs ${size} numbers, got ${flat.length}`,
    );
  }
  const integer = dtype === 'int64';
  const array = integer ? BigInt64Array.from(flat, BigInt) : Float64Array.from(flat);
  const made = new Tensor(native.fromBytes(array, dtypeCode(integer ? 'int64' : 'float64'), shape));
  if ((integer || dtype === 'float64') && device === 'cpu') return made;
  const converted = made.to({ dtype, device });
  made.dispose();
  return converted;
}

/**
 * A tensor from a typed array: one copy of its bytes. A Uint16Array holds the bits of a 16-bit float and needs its dtype.
 * @throws Error when the array's bytes do not fit the shape.
 */
export function fromTypedArray(
  data: TypedArray,
  shape: readonly number[] = [data.length],
  { dtype = dtypeOfArray(data), device = 'cpu' }: TensorOptions = {},
): Tensor {
  const made = new Tensor(native.fromBytes(data, dtypeCode(dtype), shape));
  if (device === 'cpu') return made;
  const moved = made.to({ device });
  made.dispose();
  return moved;
}

/** A tensor of raw bytes (row-major, little-endian) read from a file. */
export const fromBytes = (data: Uint8Array, dtype: DType, shape: readonly number[]): Tensor =>
  new Tensor(native.fromBytes(data, dtypeCode(dtype), shape));

export const zeros = (
  shape: readonly number[],
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.zeros(shape, dtype, device);
export const ones = (
  shape: readonly number[],
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.ones(shape, dtype, device);
export const empty = (
  shape: readonly number[],
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.emptyMemoryFormat(shape, dtype, device);
export const full = (
  shape: readonly number[],
  value: number,
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.full(shape, value, dtype, device);
/** Normal with mean 0 and variance 1, from the device's random state. */
export const randn = (
  shape: readonly number[],
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.randn(shape, dtype, device);
/** Uniform in [0, 1). */
export const rand = (
  shape: readonly number[],
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.rand(shape, dtype, device);
/** 0, 1, …, length - 1 */
export const arange = (
  length: number,
  { dtype = 'int64', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.arange(length, dtype, device);

export const cat = (tensors: readonly Tensor[], dim = 0): Tensor => ops.cat(tensors, dim);
export const stack = (tensors: readonly Tensor[], dim = 0): Tensor => ops.stack(tensors, dim);
export const where = (condition: Tensor, yes: Tensor, no: Tensor): Tensor =>
  ops.whereSelf(condition, yes, no);
