import { CheckpointError, quote } from './checkpoint-error.ts';
import {
  countElements,
  isStoredDType,
  type StoredDType,
  storedDTypeBytes,
} from './stored-dtype.ts';
import { writeAside } from './write-aside.ts';

export interface TensorToWrite {
  name: string;
  dtype: StoredDType;
  /** Row-major, outermost first. */
  shape: number[];
  /**
   * The bytes, little-endian, or a function that returns them when they are written, so that not
   * all are held at once.
   */
  data: Uint8Array | (() => Uint8Array);
}

// Makes mapped tensors as well aligned as allocated ones. The format itself requires 8.
const dataAlignment = 64;

/**
 * Writes tensors to one safetensors file, in a temporary file next to `path` that is synced and
 * renamed. The header is padded so that the data starts at a multiple of 64 bytes, as LibTorch
 * aligns memory. Tensors are ordered by element size, then name, so that each is aligned.
 *
 * @throws CheckpointError if a name is used twice or data does not match its dtype and shape;
 *   `path` is then unchanged.
 * @throws FileError if the file system refuses; `path` is then unchanged
 */
export const writeSafetensors = (
  path: string,
  tensors: Iterable<TensorToWrite>,
  metadata: Record<string, string> = {},
): void => {
  const order = [...tensors].sort(
    (a, b) =>
      storedDTypeBytes[b.dtype] - storedDTypeBytes[a.dtype] ||
      (a.name < b.name ? -1 : Number(a.name > b.name)),
  );
  const lengths = order.map((tensor) => checkedByteLength(path, tensor));
  const header = encodeHeader(path, order, lengths, metadata);
  const bytes = lengths.reduce((sum, length) => sum + length, header.length);
  const fill = (append: (piece: Uint8Array) => void): void => {
    append(header);
    order.forEach((tensor, index) => {
      const data = typeof tensor.data === 'function' ? tensor.data() : tensor.data;
      if (data.byteLength !== lengths[index]) throw wrongLength(path, tensor, data.byteLength);
      append(data);
    });
  };
  writeAside(path, fill, bytes);
};

const checkedByteLength = (path: string, tensor: TensorToWrite): number => {
  if (!isStoredDType(tensor.dtype)) {
    throw new CheckpointError(
      { file: path, tensor: tensor.name },
      `has no safetensors dtype: ${quote(tensor.dtype)}`,
    );
  }
  const elements = countElements(tensor.shape);
  if (typeof elements === 'string') {
    throw new CheckpointError({ file: path, tensor: tensor.name }, elements);
  }
  const length = elements * storedDTypeBytes[tensor.dtype];
  if (typeof tensor.data !== 'function' && tensor.data.byteLength !== length) {
    throw wrongLength(path, tensor, tensor.data.byteLength);
  }
  return length;
};

const wrongLength = (path: string, tensor: TensorToWrite, found: number): CheckpointError =>
  new CheckpointError(
    { file: path, tensor: tensor.name },
    `has ${found} bytes of data, which does not match ${tensor.dtype} of shape [${tensor.shape.join(', ')}]`,
  );

const encodeHeader = (
  path: string,
  order: TensorToWrite[],
  lengths: number[],
  metadata: Record<string, string>,
): Uint8Array => {
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(['__metadata__', metadata]);
  const names = new Set(['__metadata__']);
  let begin = 0;
  order.forEach(({ name, dtype, shape }, index) => {
    if (names.has(name)) {
      throw new CheckpointError({ file: path, tensor: name }, 'its name is already used');
    }
    names.add(name);
    const end = begin + lengths[index]!;
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
    begin = end;
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil((8 + json.length) / dataAlignment) * dataAlignment - 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
};
