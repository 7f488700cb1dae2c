// The gradient of a step whose rows several processes share: the sum of their gradients, on all.
import { zeros } from '../create.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import { type Bucket, bucketsOf, sumOfPart } from './buckets.ts';
import type { ProcessGroup } from './process-group.ts';

/**
 * Replaces each gradient with its sum over the ranks, added in the order of ranks: the same bits on
 * every rank, and those of one process that adds the ranks' gradients one after the other. A
 * parameter that has no gradient on any rank gets none.
 *
 * Each rank gets its part of all ranks' gradients, adds them, and sends the sum to all: as many
 * bytes as a ring takes.
 * @throws GroupError naming the rank that is missing
 */
export async function reduceGradients(
  group: ProcessGroup,
  parameters: Iterable<Tensor>,
): Promise<void> {
  const summed = await withGradient(group, [...new Set(parameters)]);
  fillMissing(summed);
  const sumOf = async (bucket: Bucket): Promise<Tensor> => {
    using own = gradientsOf(bucket.tensors, (gradients) => bucket.flatten(gradients));
    return sumOfPart(group, own);
  };
  for await (const { item: bucket, found } of oneAhead(bucketsOf(summed, group.size), sumOf)) {
    using sum = found; // [part]
    using sums = await group.allGather(sum); // [ranks, part]
    gradientsOf(bucket.tensors, (gradients) => bucket.scatter(sums, gradients));
  }
}

/** Starts the work on an item before the result of the one before it is used. */
export async function* oneAhead<Item, Found>(
  items: readonly Item[],
  work: (item: Item) => Promise<Found>,
): AsyncGenerator<{ item: Item; found: Found }, void, undefined> {
  const start = (item: Item): { item: Item; found: Promise<Found> } => {
    const found = work(item);
    // If the one before fails, nobody waits for it.
    found.catch(() => {});
    return { item, found };
  };
  const [first, ...rest] = items;
  if (first === undefined) return;
  let current = start(first);
  for (const item of rest) {
    const next = start(item);
    yield { item: current.item, found: await current.found };
    current = next;
  }
  yield { item: current.item, found: await current.found };
}

/** The parameters that have a gradient on some rank. */
export async function withGradient(
  group: ProcessGroup,
  parameters: readonly Tensor[],
): Promise<Tensor[]> {
  const own = tidy(() => Uint8Array.from(parameters, ({ grad }) => (grad === null ? 0 : 1)));
  const masks = await group.gatherBytes(own);
  return parameters.filter((_, at) => masks.some((mask) => mask[at] === 1));
}

/** Gives zeros to parameters that have a gradient on other ranks only. */
export function fillMissing(parameters: readonly Tensor[]): void {
  tidy(() => {
    for (const one of parameters) {
      if (one.grad === null) one.grad = zeros(one.shape, { dtype: one.dtype, device: one.device });
    }
  });
}

/** Calls it with the parameters' gradients, whose handles are freed after it. */
export function gradientsOf<T>(parameters: readonly Tensor[], body: (gradients: Tensor[]) => T): T {
  const gradients = parameters.map(({ grad }) => grad!.keep());
  try {
    return body(gradients);
  } finally {
    for (const one of gradients) one.dispose();
  }
}
