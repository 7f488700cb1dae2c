import { CheckpointError } from './checkpoint-error.ts';
import type { CheckpointFile } from './checkpoint-file.ts';

const windowBytes = 1 << 20;

// Far above any real header: a chat template has kilobytes, a vocabulary half a million entries.
const largestString = 1 << 24;
const mostArrayElements = 1 << 24;

/**
 * Reads consecutive little-endian values. Every length is checked against the remaining bytes of
 * the file.
 */
export class GgufCursor {
  position = 0;
  readonly #file: CheckpointFile;
  #elementsLeft = mostArrayElements;
  #window = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));
  #windowStart = 0;

  constructor(file: CheckpointFile) {
    this.#file = file;
  }

  get left(): number {
    return this.#file.size - this.position;
  }

  fail(message: string): never {
    throw new CheckpointError({ file: this.#file.path }, `${message} (at byte ${this.position})`);
  }

  /** Makes `length` bytes readable and moves past them. Returns where they start in the window. */
  #take(length: number, what: string): number {
    if (length > this.left) {
      this.fail(`${what} takes ${length} bytes, but only ${this.left} are left: it is truncated`);
    }
    const offset = this.position - this.#windowStart;
    this.position += length;
    if (offset + length <= this.#window.length) return offset;
    this.#windowStart = this.position - length;
    this.#window = this.#file.read(
      this.#windowStart,
      Math.min(Math.max(length, windowBytes), this.#file.size - this.#windowStart),
    );
    this.#view = new DataView(this.#window.buffer);
    return 0;
  }

  bytes(length: number, what: string): Uint8Array {
    const offset = this.#take(length, what);
    return this.#window.subarray(offset, offset + length);
  }

  uint32(what: string): number {
    const offset = this.#take(4, what);
    return this.#view.getUint32(offset, true);
  }

  /** A 64-bit count or size as a number. */
  size(what: string): number {
    const offset = this.#take(8, what);
    const value = this.#view.getBigUint64(offset, true);
    if (value > Number.MAX_SAFE_INTEGER) this.fail(`${what} is ${value}, which no file can hold`);
    return Number(value);
  }

  /**
   * A count of items of at least `leastBytes` bytes each, which must fit in the remaining bytes.
   */
  count(what: string, leastBytes: number): number {
    const count = this.size(what);
    if (count * leastBytes > this.left) {
      this.fail(
        `${what} is ${count}, but the ${this.left} bytes left cannot hold that many: it is truncated or damaged`,
      );
    }
    return count;
  }

  string(what: string): string {
    const length = this.count(`the length of ${what}`, 1);
    if (length > largestString) {
      this.fail(`${what} has ${length} bytes, expected at most ${largestString}`);
    }
    // Some vocabularies contain tokens that are not whole characters. They decode to replacement
    // marks.
    return decoder.decode(this.bytes(length, what));
  }

  value(type: number, what: string, depth = 0): unknown {
    switch (type) {
      case 8:
        return this.string(what);
      case 9:
        return this.#array(what, depth);
      default: {
        const scalar = scalars[type];
        if (!scalar) this.fail(`${what} has the unknown value type ${type}`);
        const offset = this.#take(scalar.bytes, what);
        return scalar.read(this.#view, offset);
      }
    }
  }

  #array(what: string, depth: number): unknown[] {
    if (depth === 4) this.fail(`${what} has lists that are nested too deeply`);
    const type = this.uint32(`the element type of ${what}`);
    const leastBytes = type === 8 ? 8 : type === 9 ? 12 : scalars[type]?.bytes;
    if (leastBytes === undefined) return this.fail(`${what} has the unknown element type ${type}`);
    const count = this.count(`the length of ${what}`, leastBytes);
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0) {
      this.fail(
        `${what} has ${count} elements, expected at most ${mostArrayElements} in all arrays together`,
      );
    }
    const values: unknown[] = new Array(count);
    for (let index = 0; index < count; index += 1) {
      values[index] = this.value(type, what, depth + 1);
    }
    return values;
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

const numberWhereExact = (value: bigint): number | bigint =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value;

interface Scalar {
  bytes: number;
  read(view: DataView, offset: number): unknown;
}

/** Value types by their number in the file: `enum gguf_type`; 8 is a string, 9 an array. */
const scalars: Record<number, Scalar> = {
  0: { bytes: 1, read: (view, offset) => view.getUint8(offset) },
  1: { bytes: 1, read: (view, offset) => view.getInt8(offset) },
  2: { bytes: 2, read: (view, offset) => view.getUint16(offset, true) },
  3: { bytes: 2, read: (view, offset) => view.getInt16(offset, true) },
  4: { bytes: 4, read: (view, offset) => view.getUint32(offset, true) },
  5: { bytes: 4, read: (view, offset) => view.getInt32(offset, true) },
  6: { bytes: 4, read: (view, offset) => view.getFloat32(offset, true) },
  7: { bytes: 1, read: (view, offset) => view.getUint8(offset) !== 0 },
  10: { bytes: 8, read: (view, offset) => numberWhereExact(view.getBigUint64(offset, true)) },
  11: { bytes: 8, read: (view, offset) => numberWhereExact(view.getBigInt64(offset, true)) },
  12: { bytes: 8, read: (view, offset) => view.getFloat64(offset, true) },
};
