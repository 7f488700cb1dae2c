import {
  type Device,
  type DType,
  dtypeCode,
  dtypeOfArray,
  fitsArray,
  type TypedArray,
} from './dtype.ts';
import { native } from './native.ts';
import * as ops from './ops.generated.ts';
import { Tensor } from './tensor.ts';

/** Type and device of a new tensor. */
export interface TensorOptions {
  dtype?: DType;
  device?: Device;
}

/** Numbers in nested lists, as a tensor holds them. */
export type Nested = number | readonly Nested[];

/**
 * Lowest and highest number of the integer types. A bool accepts any number, and all but 0 are
 * true.
 */
const ranges: Partial<Record<DType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

function shapeOf(data: Nested): number[] {
  const shape: number[] = [];
  for (let level: Nested | undefined = data; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
  }
  return shape;
}

/** Appends the numbers of `data` in order, and checks the length at each level. */
function flatten(data: Nested, shape: readonly number[], into: number[], depth = 0): number[] {
  const place = depth === 0 ? 'the data' : `an array at depth ${depth}`;
  if (depth === shape.length) {
    if (typeof data === 'number') into.push(data);
    else if (Array.isArray(data)) {
      throw new Error(`ragged data: expected a number at depth ${depth}, got an array`);
    } else throw new TypeError(`expected a number, got ${typeof data}`);
  } else if (!Array.isArray(data)) {
    throw new Error(`ragged data: expected ${place} to be an array, got ${typeof data}`);
  } else if (data.length !== shape[depth]) {
    throw new Error(
      `ragged data: ${place} has length ${data.length}, the first has ${shape[depth]}`,
    );
  } else for (const element of data) flatten(element, shape, into, depth + 1);
  return into;
}

/**
 * A tensor from nested arrays of numbers (default: float32).
 * @throws Error if the arrays are ragged or contain anything but numbers
 * @throws RangeError for a number that the integer type cannot represent
 */
export function tensor(
  data: Nested,
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor {
  const shape = shapeOf(data);
  const flat = flatten(data, shape, []);
  const range = ranges[dtype];
  if (range !== undefined) {
    const wrong = flat.find((one) => !Number.isInteger(one) || one < range[0] || one > range[1]);
    if (wrong !== undefined) throw new RangeError(`${dtype} cannot represent ${wrong}`);
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
 * A tensor from a typed array, whose bytes are copied once. A Uint16Array contains the bits of a
 * 16-bit float and needs its dtype. A Uint8Array with a dtype contains that type's bytes.
 * @throws Error if the array's bytes do not fit the shape
 * @throws TypeError if its elements are not of the dtype
 */
export function fromTypedArray(
  data: TypedArray,
  shape: readonly number[] = [data.length],
  { dtype = dtypeOfArray(data), device = 'cpu' }: TensorOptions = {},
): Tensor {
  if (!fitsArray(dtype, data)) {
    throw new TypeError(
      `the elements of ${data.constructor.name} are not ${dtype}. Convert the tensor with to()`,
    );
  }
  const made = new Tensor(native.fromBytes(data, dtypeCode(dtype), shape));
  if (device === 'cpu') return made;
  const moved = made.to({ device });
  made.dispose();
  return moved;
}

/** A tensor of raw bytes (row-major, little-endian) read from a file. */
export const fromBytes = (data: Uint8Array, dtype: DType, shape: readonly number[]): Tensor =>
  new Tensor(native.fromBytes(data, dtypeCode(dtype), shape));

/** A tensor of zeros. */
export const zeros = (
  shape: readonly number[],
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.zeros(shape, dtype, device);
/** A tensor of ones. */
export const ones = (
  shape: readonly number[],
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.ones(shape, dtype, device);
/** A tensor whose values are not set. */
export const empty = (
  shape: readonly number[],
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.emptyMemoryFormat(shape, dtype, device);
/** A tensor of one value. */
export const full = (
  shape: readonly number[],
  value: number,
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.full(shape, value, dtype, device);
/** Normally distributed with mean 0 and variance 1, from the device's random state. */
export const randn = (
  shape: readonly number[],
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.randn(shape, dtype, device);
/** Uniform in [0, 1), from the device's random state. */
export const rand = (
  shape: readonly number[],
  { dtype = 'float32', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.rand(shape, dtype, device);
/** 0, 1, …, length - 1 */
export const arange = (
  length: number,
  { dtype = 'int64', device = 'cpu' }: TensorOptions = {},
): Tensor => ops.arange(length, dtype, device);

/** Joins tensors along a dimension that they have. */
export const cat = (tensors: readonly Tensor[], dim = 0): Tensor => ops.cat(tensors, dim);
/** Joins tensors of the same shape along a new dimension. */
export const stack = (tensors: readonly Tensor[], dim = 0): Tensor => ops.stack(tensors, dim);
/** Takes from one tensor where a condition holds, from the other elsewhere. */
export const where = (condition: Tensor, yes: Tensor, no: Tensor): Tensor =>
  ops.whereSelf(condition, yes, no);
