// How much arithmetic a batch asks of a model: what model FLOP utilisation counts (Chowdhery et al.
// 2022, arXiv:2204.02311, B).
import type { Decoder } from './decoder.ts';
import { linearLayers } from './loading/named-weights.ts';
import type { PackedBatch } from './packed-batch.ts';

/** Floating-point operations; a multiplication and its addition are two. */
export interface Flops {
  /**
   * Products with the model's own weights: linear layers on all tokens, the head on the scored
   * ones.
   */
  products: number;
  /**
   * Attention's two products, queries with keys and probabilities with values, over the keys that a
   * token sees.
   */
  attention: number;
}

/** Sizes by which a model's arithmetic is counted. */
export interface ModelSizes {
  /** Weights of all linear layers but the head; biases, norms and adapters are left out. */
  linear: number;
  head: number;
  /** heads * headSize */
  attentionWidth: number;
  /** Keys that a query of each layer sees at most; null: all before it. */
  windows: readonly (number | null)[];
}

export function modelSizes(decoder: Decoder): ModelSizes {
  const { config, weights } = decoder;
  return {
    linear: linearLayers(decoder).reduce((sum, { weight }) => sum + weight.size, 0),
    head: weights.head.size,
    attentionWidth: config.heads * config.headSize,
    windows: config.layers.map(({ window }) => window),
  };
}

/**
 * One forward pass over a packed batch, of which `scored` tokens are predicted. What packing shares
 * is counted once. Adapters, norms and activations are left out: they are small, and no part of the
 * model.
 */
export function forwardFlops(
  sizes: ModelSizes,
  { tokens, positions }: Pick<PackedBatch, 'tokens' | 'positions'>,
  scored: number,
): Flops {
  const seen = new Map<number | null, number>(); // keys of all queries, by window
  for (const window of new Set(sizes.windows)) {
    let keys = 0;
    for (const position of positions) keys += Math.min(position + 1, window ?? position + 1);
    seen.set(window, keys);
  }
  const keys = sizes.windows.reduce<number>((sum, window) => sum + seen.get(window)!, 0);
  return {
    products: 2 * (sizes.linear * tokens.length + sizes.head * scored),
    attention: 4 * sizes.attentionWidth * keys,
  };
}

/**
 * The backward pass of such a forward pass: gradients of inputs, and where the weights themselves
 * are trained theirs too. In attention nothing is frozen. What a kernel computes again is not
 * counted.
 */
export const backwardFlops = (
  { products, attention }: Flops,
  { trainedWeights }: { trainedWeights: boolean },
): Flops => ({ products: (trainedWeights ? 2 : 1) * products, attention: 2 * attention });

export const totalFlops = ({ products, attention }: Flops): number => products + attention;
