// Whole decoder blocks as one operator each, for a generation step: bfloat16 on the CPU, RMS norm,
// a gated MLP.
import { keep, noGrad, ops, type Tensor, tidy, zeros } from '@keel/torch';
import type { AttentionLayer, Rotation } from '../attention.ts';
import type { Decoder } from '../decoder.ts';
import type { Block } from '../decoder-weights.ts';
import type { Linear } from '../linear.ts';

/** The cache tensors that a layer reads and extends; indices are int64 [B]. */
export interface CacheOfLayer {
  /** [R, capacity, keyValueHeads, headSize] */
  keys: Tensor;
  values: Tensor;
  rows: Tensor;
  /** Number of tokens of each row, including the new one. */
  lengths: Tensor;
  /** [P, keyValueHeads, headSize] */
  prefixKeys: Tensor;
  prefixValues: Tensor;
  prefixStarts: Tensor;
  prefixLengths: Tensor;
}

/**
 * Computes a block for one new token per row: state [B, hidden] -> the same; keys and values go
 * into the cache.
 */
export type DecodeBlock = (
  state: Tensor,
  layer: AttentionLayer,
  rotation: Rotation | null,
  cache: CacheOfLayer,
) => Tensor;

/** All blocks of a decoder, with an adapter or none. */
export interface DecodeBlocks {
  readonly adapter: string | null;
  readonly layers: readonly DecodeBlock[];
  /** Frees the adapter's factors. */
  dispose(): void;
}

const activations = new Set(['silu', 'gelu_tanh']);

/**
 * An adapter's factors for some layers in the operator's form, two per layer; empty if it changes
 * none of these layers.
 */
function lowRankFactors(linears: readonly Linear[], adapter: string | null): Tensor[] {
  const pairs = linears.map(({ adapters }) =>
    adapter === null ? undefined : adapters.get(adapter),
  );
  if (pairs.every((pair) => pair === undefined)) return [];
  return pairs.flatMap((pair) =>
    noGrad(() =>
      tidy(() => {
        const a = pair?.a.to('bfloat16') ?? zeros([0], { dtype: 'bfloat16' }); // [rank, in]
        const b = pair?.b.mul(pair.scale).to('bfloat16') ?? zeros([0], { dtype: 'bfloat16' }); // [out, rank]
        return [keep(a.clone()), keep(b.clone())];
      }),
    ),
  );
}

/**
 * Every block of the decoder as one operator; null if they must be composed of several. It copies
 * the adapter's current factors.
 */
export function decodeBlocks(
  { config, weights, computeType }: Decoder,
  adapter: string | null = null,
): DecodeBlocks | null {
  const { modules, norm, activation } = config;
  const gated = modules.gateUp.form !== 'ungated';
  if (computeType !== 'bfloat16' || weights.embedding.device !== 'cpu') return null;
  if (!gated || norm.kind !== 'rms' || !activations.has(activation)) return null;
  const fits = (block: Block): boolean => {
    const { queryKeyValue, attentionOutput, gateUp, down } = block;
    const linears = [...queryKeyValue, attentionOutput, ...gateUp, down];
    return (
      linears.every(({ weight }) => weight.dtype === 'bfloat16') &&
      [attentionOutput, ...gateUp, down].every(({ bias }) => bias === null) &&
      new Set(queryKeyValue.map(({ bias }) => bias === null)).size === 1
    );
  };
  if (!weights.blocks.every(fits)) return null;

  const matrix = ({ weight }: Linear): Tensor => weight;
  const factors = weights.blocks.map(({ queryKeyValue, attentionOutput, gateUp, down }) =>
    lowRankFactors([...queryKeyValue, attentionOutput, ...gateUp, down], adapter),
  );
  const layers = weights.blocks.map(
    (block, index): DecodeBlock =>
      (state, layer, rotation, cache) =>
        ops.decodeBlock(
          state,
          block.attentionNorm.weight,
          block.queryKeyValue.map(matrix),
          block.queryKeyValue.flatMap(({ bias }) => bias ?? []),
          block.queryNorm?.weight ?? null,
          block.keyNorm?.weight ?? null,
          block.attentionOutput.weight,
          block.postAttentionNorm?.weight ?? null,
          block.mlpNorm.weight,
          block.gateUp.map(matrix),
          block.down.weight,
          block.postMlpNorm?.weight ?? null,
          rotation?.cosine ?? null,
          rotation?.sine ?? null,
          cache.keys,
          cache.values,
          cache.rows,
          cache.lengths,
          cache.prefixKeys,
          cache.prefixValues,
          cache.prefixStarts,
          cache.prefixLengths,
          factors[index]!,
          layer.scale,
          layer.softcap ?? 0,
          layer.window ?? 0,
          norm.epsilon,
          norm.weightOffset,
          activation,
        ),
  );
  return {
    adapter,
    layers,
    dispose: () => {
      for (const tensor of factors.flatMap((of) => of.splice(0))) tensor.dispose();
    },
  };
}
