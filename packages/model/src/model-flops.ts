// Counts a batch's arithmetic, for model FLOP utilisation (Chowdhery et al. 2022, arXiv:2204.02311,
// B).
import type { Decoder } from './decoder.ts';
import { linearLayers } from './loading/named-weights.ts';
import type { PackedBatch } from './packed-batch.ts';

/** Floating-point operations; a multiplication and its addition count as two. */
export interface Flops {
  /**
   * Products with the model's own weights: linear layers on all tokens, the head on the scored
   * tokens.
   */
  products: number;
  /**
   * Attention's two products, queries with keys and probabilities with values, over the keys that
   * each token sees.
   */
  attention: number;
}

/** The sizes that determine a model's arithmetic. */
export interface ModelSizes {
  /** Weights of all linear layers but the head, without biases, norms and adapters. */
  linear: number;
  head: number;
  /** heads * headSize */
  attentionWidth: number;
  /** Maximum number of keys that a query sees, by layer; null: all before it. */
  windows: readonly (number | null)[];
}

/** The sizes of a decoder that its cost depends on. */
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
 * One forward pass over a packed batch in which `scored` tokens are predicted. Shared prefixes are
 * counted once. Adapters, norms and activations are not counted: they are small, and not part of
 * the model.
 */
export function forwardFlops(
  sizes: ModelSizes,
  { tokens, positions }: Pick<PackedBatch, 'tokens' | 'positions'>,
  scored: number,
): Flops {
  const seen = new Map<number | null, number>(); // total number of keys seen, by window
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
 * The backward pass of such a forward pass: gradients of inputs and, if the weights themselves are
 * trained, of weights. Attention needs both of its gradients always. What a kernel recomputes is
 * not counted.
 */
export const backwardFlops = (
  { products, attention }: Flops,
  { trainedWeights }: { trainedWeights: boolean },
): Flops => ({ products: (trainedWeights ? 2 : 1) * products, attention: 2 * attention });

/** Operations of all kinds together. */
export const totalFlops = ({ products, attention }: Flops): number => products + attention;
