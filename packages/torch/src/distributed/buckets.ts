// Tensors of a model side by side, in pieces of a size that is sent at a time.
import { noGrad } from '../autograd.ts';
import { cat, zeros } from '../create.ts';
import { dtypeBytes } from '../dtype.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import type { ProcessGroup } from './process-group.ts';

/** Bytes of a bucket; a larger tensor has its own. */
const BUCKET = 4 * 2 ** 20;

/** Tensors of one type and one device. */
export class Bucket {
  readonly tensors: readonly Tensor[];
  /** Elements of all of them. */
  readonly elements: number;
  /** First element of each. */
  readonly offsets: readonly number[];
  /** Elements of each rank's part; the last ones may have padding. */
  readonly part: number;
  readonly #ranks: number;

  constructor(tensors: readonly Tensor[], ranks: number) {
    this.tensors = tensors;
    let elements = 0;
    this.offsets = tensors.map(({ size }) => {
      elements += size;
      return elements - size;
    });
    this.elements = elements;
    this.part = Math.ceil(this.elements / ranks);
    this.#ranks = ranks;
  }

  /**
   * Tensors of the same shapes as the bucket's, side by side, with zeros to the end.
   * @returns [ranks, part]; the caller owns it
   */
  flatten(tensors: readonly Tensor[]): Tensor {
    return noGrad(() =>
      tidy(() => {
        const flat = tensors.map((one) => one.reshape(-1));
        const rest = this.part * this.#ranks - this.elements;
        const { dtype, device } = flat[0]!;
        if (rest > 0) flat.push(zeros([rest], { dtype, device }));
        return cat(flat).view(this.#ranks, this.part);
      }),
    ).keep();
  }

  /**
   * Overwrites tensors of the bucket's shapes.
   * @param flat [ranks, part]
   */
  scatter(flat: Tensor, tensors: readonly Tensor[]): void {
    noGrad(() =>
      tidy(() => {
        const whole = flat.view(-1);
        let start = 0;
        for (const one of tensors) {
          one.copy_(whole.narrow(0, start, one.size).view(...one.shape));
          start += one.size;
        }
      }),
    );
  }
}

/** Buckets of tensors, in their order. @param most bytes of a bucket of several tensors */
export function bucketsOf(tensors: readonly Tensor[], ranks: number, most = BUCKET): Bucket[] {
  const groups: Tensor[][] = [];
  let bytes = 0;
  let kind = '';
  for (const one of tensors) {
    const { dtype, device } = one;
    const own = one.size * dtypeBytes(dtype);
    if (kind !== `${dtype} ${device}` || bytes + own > most) {
      groups.push([]);
      bytes = 0;
      kind = `${dtype} ${device}`;
    }
    groups.at(-1)!.push(one);
    bytes += own;
  }
  return groups.map((group) => new Bucket(group, ranks));
}

/**
 * The sum over all ranks of this rank's part, added in the order of ranks.
 * @param flat [ranks, part]
 * @returns [part]; the caller owns it
 */
export async function sumOfPart(group: ProcessGroup, flat: Tensor): Promise<Tensor> {
  using parts = await group.allToAll(flat); // a row from each rank
  return noGrad(() =>
    tidy(() => {
      const total = parts.select(0, 0).clone(); // [part]
      for (let rank = 1; rank < group.size; rank++) total.add_(parts.select(0, rank));
      return total;
    }),
  ).keep();
}
