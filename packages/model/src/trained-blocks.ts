// Which blocks of a decoder are trained, and what a training pass holds for backward.
import { dtypeBytes } from '@keel/torch';
import type { Decoder } from './decoder.ts';
import { type Block, linearsOf, trainsBlock } from './decoder-weights.ts';

/** Number of blocks that backward reaches: the first trained one and all above it. */
export function blocksReached({ weights }: Decoder, adapter: string | null): number {
  const first = weights.blocks.findIndex((block) => trainsBlock(block, adapter));
  return first < 0 ? 0 : weights.blocks.length - first;
}

/** Bytes that a training pass holds for each of its tokens. */
export interface ActivationBytes {
  /** Held until backward reaches them. */
  held: number;
  /** With gradient checkpointing: the blocks' inputs, and the tensors of one block. */
  checkpointed: number;
}

/** An estimate from the model's sizes: the tensors that a block's operators hold for backward. */
export function activationBytes(decoder: Decoder, adapter: string | null): ActivationBytes {
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headSize, norm, activation } =
    decoder.config;
  const { gateUp } = decoder.config.modules;
  const gated = gateUp.form !== 'ungated';
  const query = heads * headSize;
  const keyValue = 2 * keyValueHeads * headSize;
  const element = dtypeBytes(decoder.computeType);
  // RMS norm, SwiGLU and GEGLU results are released in forward. Other operators' results are held,
  // together with those of the operators that they are composed of.
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
    // The block's own gradients take about the same amount again.
    checkpointed: element * reached * hiddenSize + 2 * Math.max(0, ...blocks) + ends,
  };
}

/** The products of rank width and, with dropout, the dropped inputs and their masks. */
function adapterBytes(block: Block, adapter: string | null, element: number): number {
  if (adapter === null) return 0;
  return linearsOf(block).reduce((sum, { adapters }) => {
    const pair = adapters.get(adapter);
    if (pair === undefined) return sum;
    const [rank, input] = pair.a.shape as [number, number];
    return sum + element * rank + (pair.dropout > 0 ? (element + 1) * input : 0);
  }, 0);
}
