import { quote } from './checkpoint-error.ts';

/** Bytes per element, by the names that safetensors files use. */
export const storedDTypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
} as const;

/** Element type of a stored tensor, by the name that safetensors files use. */
export type StoredDType = keyof typeof storedDTypeBytes;

export const isStoredDType = (name: unknown): name is StoredDType =>
  typeof name === 'string' && Object.hasOwn(storedDTypeBytes, name);

// ATen supports at most 64 dimensions.
const mostDimensions = 64;

/** Number of elements of `shape`, or a sentence saying why it is not a valid shape. */
export const countElements = (shape: unknown): number | string => {
  if (!Array.isArray(shape)) return 'its shape is not a list';
  if (shape.length > mostDimensions) {
    return `its shape has ${shape.length} dimensions, expected at most ${mostDimensions}`;
  }
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      return `its shape [${shape.join(', ')}] contains ${quote(size)}, expected whole numbers from 0`;
    }
    count *= size;
    if (!Number.isSafeInteger(count)) {
      return `its shape [${shape.join(', ')}] has more elements than can be counted`;
    }
  }
  return count;
};
