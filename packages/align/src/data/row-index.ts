const chunkRows = 65_536;

interface Chunk {
  offsets: Float64Array;
  lengths: Uint32Array;
  lines: Uint32Array;
}

/**
 * Byte offset, byte length and line of every row of a text file: 16 bytes per row. It grows in
 * chunks, so that no large array is ever copied. Offsets are exact up to 2^53 bytes.
 */
export class RowIndex {
  #chunks: Chunk[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(offset: number, length: number, line: number): void {
    const slot = this.#length % chunkRows;
    if (slot === 0) {
      this.#chunks.push({
        offsets: new Float64Array(chunkRows),
        lengths: new Uint32Array(chunkRows),
        lines: new Uint32Array(chunkRows),
      });
    }
    const chunk = this.#chunks.at(-1)!;
    chunk.offsets[slot] = offset;
    chunk.lengths[slot] = length;
    chunk.lines[slot] = line;
    this.#length++;
  }

  offset(row: number): number {
    return this.#chunk(row).offsets[row % chunkRows]!;
  }

  byteLength(row: number): number {
    return this.#chunk(row).lengths[row % chunkRows]!;
  }

  line(row: number): number {
    return this.#chunk(row).lines[row % chunkRows]!;
  }

  /**
   * The first row after `from` that no longer fits in `bytes` bytes read from the start of row
   * `from`; at least `from + 1`.
   */
  spanEnd(from: number, bytes: number): number {
    const start = this.offset(from);
    let end = from + 1;
    while (end < this.#length && this.offset(end) + this.byteLength(end) - start <= bytes) end++;
    return end;
  }

  #chunk(row: number): Chunk {
    if (!Number.isInteger(row) || row < 0 || row >= this.#length) {
      throw new RangeError(`row ${row} is out of range: expected 0 to ${this.#length - 1}`);
    }
    return this.#chunks[Math.floor(row / chunkRows)]!;
  }
}
