// Which blocks of a decoder are trained, and what a training pass holds of them until backward.
import { dtypeBytes } from '@keel/torch';
import type { Block, Decoder } from './decoder.ts';
import { linearsOf } from './loading/named-weights.ts';

/** Whether a weight of the block, or of the adapter on it, requires a gradient. */
export function trainsBlock(block: Block, adapter: string | null): boolean {
  return linearsOf(block).some(
    ({ weight, adapters }) =>
      weight.requiresGrad || (adapter !== null && adapters.get(adapter)?.a.requiresGrad === true),
  );
}

/** The blocks that backward reaches: the first that is trained, and all above it. */
export function blocksReached({ weights }: Decoder, adapter: string | null): number {
  const first = weights.blocks.findIndex((block) => trainsBlock(block, adapter));
  return first < 0 ? 0 : weights.blocks.length - first;
}

/** Bytes that a training pass holds for each of its tokens. */
export interface ActivationBytes {
  /** Until backward reaches them. */
  held: number;
  /** With gradient checkpointing: the blocks' inputs, and one block. */
  checkpointed: number;
}

/** An estimate from the model's sizes: the tensors that a block's operators keep for backward. */
export function activationBytes(decoder: Decoder, adapter: string | null): ActivationBytes {
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headSize } = decoder.config;
  const query = heads * headSize;
  const keyValue = 2 * keyValueHeads * headSize;
  // Two states with their norms; query, key, value and attention's output; gate, up and their product.
  const block = 4 * hiddenSize + 2 * query + keyValue + 3 * intermediateSize;
  const adapters = decoder.weights.blocks[0] ? ranks(decoder.weights.blocks.at(-1)!, adapter) : 0;
  const bytes = dtypeBytes(decoder.computeType);
  const reached = blocksReached(decoder, adapter);
  // The state after the last block, its norm, and their gradients.
  const ends = 4 * hiddenSize;
  return {
    held: bytes * (reached * (block + adapters) + ends),
    // A block's own gradients are about as much again.
    checkpointed: bytes * (reached * hiddenSize + 2 * (block + adapters) + ends),
  };
}

function ranks(block: Block, adapter: string | null): number {
  if (adapter === null) return 0;
  return linearsOf(block).reduce(
    (sum, { adapters }) => sum + (adapters.get(adapter)?.a.dim(0) ?? 0),
    0,
  );
}
