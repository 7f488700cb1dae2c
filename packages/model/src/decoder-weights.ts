// The weights of a decoder, layer by layer.
import type { Tensor } from '@keel/torch';
import type { Linear } from './linear.ts';

/** Weights of one layer. Vectors have the size of what they scale. */
export interface Block {
  attentionNorm: Norm;
  /** [query, key, value], or only the fused one. */
  queryKeyValue: readonly Linear[];
  queryNorm: Norm | null;
  keyNorm: Norm | null;
  attentionOutput: Linear;
  postAttentionNorm: Norm | null;
  mlpNorm: Norm;
  /** [gate, up], only the fused one, or only up if the MLP has no gate. */
  gateUp: readonly Linear[];
  down: Linear;
  postMlpNorm: Norm | null;
}

export interface Norm {
  name: string;
  weight: Tensor;
  bias: Tensor | null;
}

export interface DecoderWeights {
  /** [vocabulary, hidden] */
  embedding: Tensor;
  /** [positions, hidden] */
  positions: Tensor | null;
  blocks: readonly Block[];
  finalNorm: Norm;
  /** [vocabulary, hidden]; the embedding itself if they are tied. */
  head: Tensor;
}

/** The linear layers of a block, in the order of the forward pass. */
export const linearsOf = (block: Block): Linear[] => [
  ...block.queryKeyValue,
  block.attentionOutput,
  ...block.gateUp,
  block.down,
];

/** The modules of a block, in the order of the forward pass. */
export const modulesOf = (block: Block): (Linear | Norm)[] =>
  [
    block.attentionNorm,
    ...block.queryKeyValue,
    block.queryNorm,
    block.keyNorm,
    block.attentionOutput,
    block.postAttentionNorm,
    block.mlpNorm,
    ...block.gateUp,
    block.down,
    block.postMlpNorm,
  ].filter((module) => module !== null);

/** Whether a weight of the block, or of the adapter on it, requires a gradient. */
export function trainsBlock(block: Block, adapter: string | null): boolean {
  return linearsOf(block).some(
    ({ weight, adapters }) =>
      weight.requiresGrad || (adapter !== null && adapters.get(adapter)?.a.requiresGrad === true),
  );
}
