import { CheckpointError } from './checkpoint-error.ts';
import { ggmlTypeNamed, type WrittenTypeName } from './ggml-types.ts';
import { quantise } from './quantise.ts';
import { countElements } from './stored-dtype.ts';
import { writeAside } from './write-aside.ts';

/** A metadata value with its type in the file. Lists have elements of one type. */
export type GgufValue =
  | { type: 'uint32' | 'int32' | 'float32'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'strings'; value: readonly string[] }
  | { type: 'int32s' | 'float32s'; value: readonly number[] };

export interface GgufTensorToWrite {
  name: string;
  type: WrittenTypeName;
  /** Row-major, outermost first. Rows are a multiple of the type's block. */
  shape: readonly number[];
  /** Returns the values when they are written, so that not all are held at once. */
  values: () => Float32Array;
}

const ALIGNMENT = 32;
// ggml's own limit, including the end of the text.
const LONGEST_NAME = 63;
// A multiple of every block; progress and memory go by such pieces.
const ELEMENTS_AT_ONCE = 1 << 18;

export interface GgufWriterOptions {
  /** Called before each tensor is written, with the bytes written so far and in total. */
  onProgress?(bytesDone: number, bytesTotal: number): void;
}

/** Bytes of a tensor in a file. @throws RangeError if its rows are not whole blocks */
export function ggufBytes({ name, type, shape }: Omit<GgufTensorToWrite, 'values'>): number {
  const { blockElements, blockBytes } = ggmlTypeNamed(type);
  const elements = countElements([...shape]);
  if (typeof elements === 'string') throw new RangeError(`tensor ${name}: ${elements}`);
  if ((shape.at(-1) ?? 1) % blockElements !== 0) {
    throw new RangeError(
      `tensor ${name} has rows of ${shape.at(-1)} elements, but ${type} has blocks of ${blockElements}`,
    );
  }
  return (elements / blockElements) * blockBytes;
}

/**
 * Writes a GGUF file, version 3, in a temporary file next to `path` that is synced and renamed.
 * @throws CheckpointError if a name is too long or used twice, or a value is not a finite number
 *   that the tensor's type can hold; `path` is then unchanged
 * @throws FileError if the file system refuses; `path` is then unchanged
 */
export function writeGguf(
  path: string,
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly GgufTensorToWrite[],
  { onProgress }: GgufWriterOptions = {},
): void {
  const lengths = tensors.map((tensor) => ggufBytes(tensor));
  const header = encodeHeader(path, metadata, tensors, lengths);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const fill = (append: (bytes: Uint8Array) => void): void => {
    append(header);
    let done = 0;
    tensors.forEach((tensor, index) => {
      onProgress?.(done, total);
      for (const piece of encoded(path, tensor)) append(piece);
      append(new Uint8Array(padding(lengths[index]!)));
      done += lengths[index]!;
    });
  };
  writeAside(path, fill, header.length + total);
}

function* encoded(path: string, { name, type, shape, values }: GgufTensorToWrite) {
  const all = values();
  if (all.length !== countElements([...shape])) {
    throw new CheckpointError(
      { file: path, tensor: name },
      `has ${all.length} values, which do not match its shape [${shape.join(', ')}]`,
    );
  }
  const { blockElements, blockBytes } = ggmlTypeNamed(type);
  const largest = LARGEST[type];
  for (let start = 0; start < all.length; start += ELEMENTS_AT_ONCE) {
    const piece = all.subarray(start, start + ELEMENTS_AT_ONCE);
    const wrong = piece.findIndex((value) => !(Math.abs(value) <= largest));
    if (wrong >= 0) {
      throw new CheckpointError(
        { file: path, tensor: name },
        Number.isFinite(piece[wrong]!)
          ? `contains ${piece[wrong]}, which is too large for ${type}. Use bf16 or f32`
          : `contains ${piece[wrong]} at element ${start + wrong}: the model is damaged`,
      );
    }
    const bytes = new Uint8Array((piece.length / blockElements) * blockBytes);
    quantise[type](piece, bytes);
    yield bytes;
  }
}

// Larger weights would become infinite. Quantised types store their scale as a half.
const LARGEST_HALF = 65_519;
const SINGLE = 3.4028234663852886e38;
const LARGEST: Record<WrittenTypeName, number> = {
  ...{ F32: SINGLE, BF16: 3.3961775e38, F16: LARGEST_HALF },
  ...{ Q8_0: 127 * LARGEST_HALF, Q4_0: 8 * LARGEST_HALF, Q5_0: 16 * LARGEST_HALF },
  ...{ Q4_1: LARGEST_HALF, Q5_1: LARGEST_HALF },
  ...{ Q4_K: LARGEST_HALF, Q5_K: LARGEST_HALF, Q6_K: LARGEST_HALF },
};

const padding = (length: number): number => (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;

function encodeHeader(
  path: string,
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly GgufTensorToWrite[],
  lengths: readonly number[],
): Uint8Array {
  const out = new Bytes();
  out.raw(new TextEncoder().encode('GGUF'));
  out.uint32(3);
  out.uint64(tensors.length);
  out.uint64(metadata.size);
  for (const [key, value] of metadata) {
    out.text(key);
    writeValue(out, value);
  }
  const names = new Set<string>();
  let offset = 0;
  tensors.forEach(({ name, type, shape }, index) => {
    const fail = (message: string): never => {
      throw new CheckpointError({ file: path, tensor: name }, message);
    };
    if (names.has(name)) fail('its name is already used');
    if (name.length > LONGEST_NAME) {
      fail(`its name has ${name.length} characters, and llama.cpp reads at most ${LONGEST_NAME}`);
    }
    names.add(name);
    out.text(name);
    out.uint32(shape.length);
    for (const size of shape.toReversed()) out.uint64(size);
    out.uint32(ggmlTypeNamed(type).number);
    out.uint64(offset);
    offset += lengths[index]! + padding(lengths[index]!);
  });
  out.raw(new Uint8Array(padding(out.length)));
  return out.joined();
}

/** `enum gguf_type`; a list is 9, the type of its elements, and their number. */
const valueTypes = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8 } as const;

function writeValue(out: Bytes, { type, value }: GgufValue): void {
  if (!Array.isArray(value)) {
    const own = type as keyof typeof valueTypes;
    out.uint32(valueTypes[own]);
    writeScalar(out, own, value as Scalar);
    return;
  }
  const element = type.slice(0, -1) as keyof typeof valueTypes;
  out.uint32(9);
  out.uint32(valueTypes[element]);
  out.uint64(value.length);
  for (const one of value) writeScalar(out, element, one);
}

type Scalar = string | number | boolean;

function writeScalar(out: Bytes, type: keyof typeof valueTypes, value: Scalar): void {
  if (type === 'string') out.text(String(value));
  else if (type === 'bool') out.raw(Uint8Array.of(value ? 1 : 0));
  else if (type === 'float32') out.raw(new Uint8Array(Float32Array.of(Number(value)).buffer));
  // Negative numbers have the same bits in both types.
  else out.uint32(Number(value));
}

class Bytes {
  readonly #pieces: Uint8Array[] = [];
  length = 0;

  raw(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.length += bytes.length;
  }

  uint32(value: number): void {
    this.raw(new Uint8Array(Uint32Array.of(value).buffer));
  }

  uint64(value: number): void {
    this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.uint64(bytes.length);
    this.raw(bytes);
  }

  joined(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }
}
