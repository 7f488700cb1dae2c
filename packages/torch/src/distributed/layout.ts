/** Tensors and parts start at multiples of so many elements: 64 bytes or more. */
const ALIGNED = 32;

/** A piece of a tensor in a range of the layout. */
export interface Piece {
  /** Which tensor. */
  index: number;
  /** Its first element in the tensor, row-major. */
  from: number;
  length: number;
  /** Its first element in the range. */
  at: number;
}

/** Where tensors are side by side, in as many equal parts as there are ranks. */
export class Layout {
  /** Elements of each tensor. */
  readonly sizes: readonly number[];
  /** First element of each tensor. */
  readonly offsets: readonly number[];
  /** Elements of each rank's part; there may be padding between tensors and at the end. */
  readonly part: number;
  readonly ranks: number;

  constructor(sizes: readonly number[], ranks: number) {
    let end = 0;
    this.sizes = sizes;
    this.offsets = sizes.map((size) => {
      const start = end;
      end += aligned(size);
      return start;
    });
    this.part = aligned(Math.ceil(end / ranks));
    this.ranks = ranks;
  }

  /** Elements of all parts. */
  get elements(): number {
    return this.ranks * this.part;
  }

  /** What the elements from `start` up to `end` have of the tensors. */
  pieces(start: number, end: number): Piece[] {
    return this.sizes.flatMap((size, index) => {
      const offset = this.offsets[index]!;
      const [first, last] = [Math.max(start, offset), Math.min(end, offset + size)];
      if (last <= first) return [];
      return [{ index, from: first - offset, length: last - first, at: first - start }];
    });
  }

  /** What a rank's part has of the tensors. */
  piecesOf(rank: number): Piece[] {
    return this.pieces(rank * this.part, (rank + 1) * this.part);
  }
}

const aligned = (elements: number): number => Math.ceil(elements / ALIGNED) * ALIGNED;
