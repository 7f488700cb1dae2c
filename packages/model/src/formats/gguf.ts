import { basename } from 'node:path';
import { CheckpointError } from './checkpoint-error.ts';
import { CheckpointFile } from './checkpoint-file.ts';
import { dequantise, roundToBfloat16 } from './dequantise.ts';
import type { GgmlTypeName } from './ggml-types.ts';
import { type GgufEntry, readGgufHeader } from './gguf-header.ts';

export interface GgufTensorInfo {
  type: GgmlTypeName;
  /** Row-major, outermost first: the reverse of the file's order. */
  shape: number[];
  /** Bytes in the file. */
  byteLength: number;
}

/** A GGUF file. Its quantised tensors are dequantised when they are read. */
export interface GgufFile extends Disposable {
  /**
   * All metadata entries. Arrays (the vocabulary, its merges) are plain arrays; 64-bit numbers
   * beyond 2^53 are bigint.
   */
  readonly metadata: Record<string, unknown>;
  names(): string[];
  has(name: string): boolean;
  /** @throws CheckpointError if there is no such tensor. */
  info(name: string): GgufTensorInfo;
  /** Bytes of the whole file. */
  readonly size: number;
  /** The first byte of a tensor in the file. @throws CheckpointError if there is no such tensor. */
  position(name: string): number;
  /** All elements, row-major. @throws CheckpointError */
  readFloat32(name: string): Float32Array<ArrayBuffer>;
  /** All elements as bfloat16 bits, row-major, rounded to nearest even. @throws CheckpointError */
  readBfloat16(name: string): Uint16Array<ArrayBuffer>;
  close(): void;
}

// A multiple of every block size: about 1 MB of float32, which stays in the CPU cache between the
// two passes.
const elementsAtOnce = 1 << 18;

/**
 * Opens a GGUF file (version 2 or 3) of F32, F16 and BF16 tensors, Q4_0 to Q8_0, Q2_K to Q6_K,
 * IQ4_NL and IQ4_XS.
 *
 * @throws CheckpointError if the file is truncated, damaged, or contains a tensor of another type.
 */
export const openGguf = (path: string): GgufFile => {
  const file = new CheckpointFile(path);
  try {
    const { metadata, entries } = readGgufHeader(file);
    return ggufFile(file, metadata, entries);
  } catch (error) {
    file.close();
    throw error;
  }
};

const ggufFile = (
  file: CheckpointFile,
  metadata: Record<string, unknown>,
  entries: Map<string, GgufEntry>,
): GgufFile => {
  const find = (name: string): GgufEntry => {
    const entry = entries.get(name);
    if (entry) return entry;
    throw new CheckpointError(
      { file: file.path, tensor: name },
      `is not in ${basename(file.path)}, which has ${entries.size} tensors`,
    );
  };
  /** Dequantises in pieces, so that a large tensor is never held twice. */
  const pieces = function* (name: string, entry: GgufEntry, into?: Float32Array) {
    const { type, elements, position } = entry;
    const scratch = into ?? new Float32Array(Math.min(elements, elementsAtOnce));
    for (let start = 0; start < elements; start += elementsAtOnce) {
      const count = Math.min(elementsAtOnce, elements - start);
      const blockStart = (start / type.blockElements) * type.blockBytes;
      const blockBytes = (count / type.blockElements) * type.blockBytes;
      const bytes = file.read(position + blockStart, blockBytes, name);
      const from = into ? start : 0;
      const values = scratch.subarray(from, from + count);
      dequantise(type.name, bytes, values);
      yield { start, values };
    }
  };
  return {
    metadata,
    size: file.size,
    names: () => [...entries.keys()],
    has: (name) => entries.has(name),
    info: (name) => {
      const { type, shape, byteLength } = find(name);
      return { type: type.name, shape: [...shape], byteLength };
    },
    position: (name) => find(name).position,
    readFloat32: (name) => {
      const entry = find(name);
      const out = new Float32Array(entry.elements);
      for (const _ of pieces(name, entry, out));
      return out;
    },
    readBfloat16: (name) => {
      const entry = find(name);
      const out = new Uint16Array(entry.elements);
      if (entry.type.name === 'BF16') {
        new Uint8Array(out.buffer).set(file.read(entry.position, entry.byteLength, name));
        return out;
      }
      for (const { start, values } of pieces(name, entry)) {
        roundToBfloat16(values, out.subarray(start, start + values.length));
      }
      return out;
    },
    close: () => file.close(),
    [Symbol.dispose]: () => file.close(),
  };
};
