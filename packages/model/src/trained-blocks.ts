// Which blocks of a decoder are trained, and what a training pass holds of them until backward.
import { dtypeBytes } from '@keel/torch';
import type { Decoder } from './decoder.ts';
import { type Block, linearsOf, trainsBlock } from './decoder-weights.ts';

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
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headSize, norm, activation } =
    decoder.config;
  const { gateUp } = decoder.config.modules;
  const gated = typeof gateUp === 'string' || 'gate' in gateUp;
  const query = heads * headSize;
  const keyValue = 2 * keyValueHeads * headSize;
  const element = dtypeBytes(decoder.computeType);
  // What an RMS norm, a SwiGLU and a GEGLU give is released in forward; others keep it, and what
  // they are composed of.
  const norms = norm.kind === 'rms' ? 0 : 2 * hiddenSize * (element + 4);
  const products = gated && activation !== 'relu' ? 0 : 2 * element * intermediateSize;
  // Two states; query, key, value and attention's output; gate and up.
  const own =
    element * (2 * hiddenSize + 2 * query + keyValue + 2 * intermediateSize) + norms + products;
  const reached = blocksReached(decoder, adapter);
  const blocks = decoder.weights.blocks
    .slice(decoder.weights.blocks.length - reached)
    .map((block) => own + adapterBytes(block, adapter, element));
  // The state after the last block, its norm, and their gradients.
  const ends = element * 4 * hiddenSize;
  return {
    held: blocks.reduce((sum, bytes) => sum + bytes, ends),
    // A block's own gradients are about as much again.
    checkpointed: element * reached * hiddenSize + 2 * Math.max(0, ...blocks) + ends,
  };
}

/** The rank-wide products; with dropout also the dropped inputs and their masks. */
function adapterBytes(block: Block, adapter: string | null, element: number): number {
  if (adapter === null) return 0;
  return linearsOf(block).reduce((sum, { adapters }) => {
    const pair = adapters.get(adapter);
    if (pair === undefined) return sum;
    const [rank, input] = pair.a.shape as [number, number];
    return sum + element * rank + (pair.dropout > 0 ? (element + 1) * input : 0);
  }, 0);
}
