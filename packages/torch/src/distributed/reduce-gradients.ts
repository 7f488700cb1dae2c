// The gradient of a step whose rows several processes share: the sum of their gradients, on all.
import { noGrad } from '../autograd.ts';
import { cat, zeros } from '../create.ts';
import { type DType, dtypeBytes } from '../dtype.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import type { ProcessGroup } from './process-group.ts';

/** Bytes that are sent at a time. */
const BUCKET = 16 * 2 ** 20;

/**
 * Replaces each gradient with its sum over the ranks, added in the order of ranks: the same bits on
 * every rank, and those of one process that adds the ranks' gradients one after the other. A
 * parameter that has no gradient on any rank gets none.
 * @throws GroupError naming the rank that is missing
 */
export async function reduceGradients(
  group: ProcessGroup,
  parameters: Iterable<Tensor>,
): Promise<void> {
  const all = [...new Set(parameters)];
  const summed = await withGradient(group, all);
  tidy(() => {
    for (const one of summed) {
      if (one.grad === null) one.grad = zeros(one.shape, { dtype: one.dtype, device: one.device });
    }
  });
  for (const bucket of bucketsOf(summed)) await reduceBucket(group, bucket);
}

/** The parameters that have a gradient on some rank. */
async function withGradient(group: ProcessGroup, all: readonly Tensor[]): Promise<Tensor[]> {
  const own = tidy(() => Uint8Array.from(all, ({ grad }) => (grad === null ? 0 : 1)));
  const masks = await group.gatherBytes(own);
  return all.filter((_, at) => masks.some((mask) => mask[at] === 1));
}

function bucketsOf(parameters: readonly Tensor[]): Tensor[][] {
  const buckets: Tensor[][] = [];
  let bytes = 0;
  let dtype: DType | null = null;
  for (const one of parameters) {
    const own = one.size * dtypeBytes(one.dtype);
    if (dtype !== one.dtype || bytes + own > BUCKET) {
      buckets.push([]);
      bytes = 0;
      dtype = one.dtype;
    }
    buckets.at(-1)!.push(one);
    bytes += own;
  }
  return buckets;
}

/**
 * Each rank gets its part of all ranks' gradients, adds them in order, and sends the sum to all: as
 * many bytes as a ring takes.
 */
async function reduceBucket(group: ProcessGroup, bucket: readonly Tensor[]): Promise<void> {
  const elements = bucket.reduce((sum, { size }) => sum + size, 0);
  const part = Math.ceil(elements / group.size);
  // [ranks, part]
  using own = noGrad(() =>
    tidy(() => {
      const flat = bucket.map(({ grad }) => grad!.reshape(-1));
      const rest = part * group.size - elements;
      const { dtype, device } = flat[0]!;
      if (rest > 0) flat.push(zeros([rest], { dtype, device }));
      return cat(flat).view(group.size, part);
    }),
  ).keep();
  // A row from each rank: its gradient of this rank's part
  using parts = await group.allToAll(own);
  using sum = noGrad(() =>
    tidy(() => {
      const total = parts.select(0, 0).clone(); // [part]
      for (let rank = 1; rank < group.size; rank++) total.add_(parts.select(0, rank));
      return total;
    }),
  ).keep();
  using sums = await group.allGather(sum); // [ranks, part]
  noGrad(() =>
    tidy(() => {
      const flat = sums.view(-1);
      let start = 0;
      for (const one of bucket) {
        one.grad!.copy_(flat.narrow(0, start, one.size).view(...one.shape));
        start += one.size;
      }
    }),
  );
}
