/** Element types, by PyTorch's names. */
export type DType =
  | 'uint8'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'bool'
  | 'bfloat16';

/** Where a tensor is stored: 'cpu', 'cuda', 'cuda:1', … */
export type Device = string;

/** The typed arrays that tensors are made from and read into. */
export type TypedArray =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

interface TypeFacts {
  /** c10::ScalarType */
  code: number;
  bytes: number;
  /** 16-bit floats have no typed array: their bits are passed in a Uint16Array. */
  array: new (
    length: number,
  ) => TypedArray;
}

const facts: Record<DType, TypeFacts> = {
  uint8: { code: 0, bytes: 1, array: Uint8Array },
  int8: { code: 1, bytes: 1, array: Int8Array },
  int16: { code: 2, bytes: 2, array: Int16Array },
  int32: { code: 3, bytes: 4, array: Int32Array },
  int64: { code: 4, bytes: 8, array: BigInt64Array },
  float16: { code: 5, bytes: 2, array: Uint16Array },
  float32: { code: 6, bytes: 4, array: Float32Array },
  float64: { code: 7, bytes: 8, array: Float64Array },
  bool: { code: 11, bytes: 1, array: Uint8Array },
  bfloat16: { code: 15, bytes: 2, array: Uint16Array },
};

const byCode = new Map(
  Object.entries(facts).map(([name, { code }]) => [code, name as DType] as const),
);

/** @throws TypeError for an unknown name, which JavaScript callers may pass. */
function factsOf(dtype: DType): TypeFacts {
  if (!Object.hasOwn(facts, dtype)) {
    throw new TypeError(
      `unknown dtype "${dtype}", expected one of ${Object.keys(facts).join(', ')}`,
    );
  }
  return facts[dtype];
}

export const dtypeCode = (dtype: DType): number => factsOf(dtype).code;
/** Bytes of an element. */
export const dtypeBytes = (dtype: DType): number => factsOf(dtype).bytes;

/** A typed array with `length` elements of the type. */
export const arrayFor = (dtype: DType, length: number): TypedArray =>
  new (factsOf(dtype).array)(length);

/** Whether the array's elements are of the type, or bytes of any type. */
export const fitsArray = (dtype: DType, array: TypedArray): boolean =>
  array instanceof factsOf(dtype).array || array instanceof Uint8Array;

/** @throws Error for types that Keel does not use (complex, quantised). */
export function dtypeOfCode(code: number): DType {
  const dtype = byCode.get(code);
  if (dtype === undefined)
    throw new Error(`tensors of LibTorch's scalar type ${code} are not supported`);
  return dtype;
}

/** Whether the type holds fractions. */
export const isFloating = (dtype: DType): boolean => dtype.includes('float');

/** The default dtype for a typed array. */
export function dtypeOfArray(array: TypedArray): DType {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Float64Array) return 'float64';
  if (array instanceof Int32Array) return 'int32';
  if (array instanceof BigInt64Array) return 'int64';
  if (array instanceof Uint8Array) return 'uint8';
  if (array instanceof Int8Array) return 'int8';
  if (array instanceof Int16Array) return 'int16';
  if (array instanceof Uint16Array) {
    throw new Error('a Uint16Array may contain float16 or bfloat16. Pass the dtype');
  }
  const kind = Object.prototype.toString.call(array).slice(8, -1);
  throw new TypeError(`cannot create a tensor from ${kind}`);
}
