// Whole decoder blocks as one operator, for a generation step: bfloat16 on the CPU, RMS norm, a
// gated MLP.
import { keep, noGrad, ops, type Tensor, tidy } from '@keel/torch';
import type { AttentionLayer, Rotation } from '../attention.ts';
import type { Decoder } from '../decoder.ts';
import type { Block } from '../decoder-weights.ts';
import type { Linear } from '../linear.ts';

/** The cache that the layers read and extend; indices are int64 [B]. */
export interface CacheOfRows {
  /** [R, capacity, keyValueHeads, headSize]; of prefixes [P, keyValueHeads, headSize] */
  layer(index: number): Record<'keys' | 'values' | 'prefixKeys' | 'prefixValues', Tensor>;
  rows: Tensor;
  /** Number of tokens of each row, including the new one. */
  lengths: Tensor;
  prefixStarts: Tensor;
  prefixLengths: Tensor;
}

/** All blocks of a decoder, with an adapter or none. */
export interface DecodeBlocks {
  readonly adapter: string | null;
  /**
   * Computes consecutive blocks for one new token per row: state [B, hidden] -> the same; keys and
   * values go into the cache.
   */
  run(
    state: Tensor,
    layers: readonly AttentionLayer[],
    rotations: readonly (Rotation | null)[],
    cache: CacheOfRows,
  ): Tensor;
  /** Frees the adapter's factors. */
  dispose(): void;
}

const activations = new Set(['silu', 'gelu_tanh']);

/** A block's matrices, in the operator's order; null: it is a part of the one before it. */
function matricesOf(block: Block): (Linear | null)[] {
  const [query, key = null, value = null] = block.queryKeyValue;
  const [gate, up = null] = block.gateUp;
  return [query!, key, value, block.attentionOutput, gate!, up, block.down];
}

/** A block's tensors, in the operator's order. */
function weightsOf(block: Block): (Tensor | null)[] {
  const [query, key, value, output, gate, up, down] = matricesOf(block);
  return [
    block.attentionNorm.weight,
    ...[query, key, value].map((linear) => linear?.weight ?? null),
    ...[query, key, value].map((linear) => linear?.bias ?? null),
    block.queryNorm?.weight ?? null,
    block.keyNorm?.weight ?? null,
    output!.weight,
    block.postAttentionNorm?.weight ?? null,
    block.mlpNorm.weight,
    ...[gate, up, down].map((linear) => linear?.weight ?? null),
    block.postMlpNorm?.weight ?? null,
  ];
}

/** An adapter's factors in the operator's form, two for each matrix of a block; null: none. */
function lowRankFactors(block: Block, adapter: string): (Tensor | null)[] {
  return matricesOf(block).flatMap((linear) => {
    const pair = linear?.adapters.get(adapter);
    if (pair === undefined) return [null, null];
    return noGrad(() =>
      tidy(() => {
        const a = pair.a.to('bfloat16'); // [rank, in]
        const b = pair.b.mul(pair.scale).to('bfloat16'); // [out, rank]
        return [keep(a.clone()), keep(b.clone())];
      }),
    );
  });
}

/**
 * The decoder's blocks as one operator; null if they must be composed of several. It copies the
 * adapter's current factors.
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

  const factors = adapter === null ? [] : weights.blocks.map((one) => lowRankFactors(one, adapter));
  const changed = factors.some((of) => of.some((factor) => factor !== null));
  // Listed once, to keep JavaScript's part of a step small. Divided weights keep their tensors.
  const tensors = weights.blocks.map(weightsOf);
  return {
    adapter,
    run: (state, layers, rotations, cache) =>
      ops.decodeBlocks(
        state,
        layers.flatMap(({ index }) => tensors[index]!),
        layers.flatMap(({ index }) => {
          const { keys, values, prefixKeys, prefixValues } = cache.layer(index);
          return [keys, values, prefixKeys, prefixValues];
        }),
        rotations.flatMap((rotation) => [rotation?.cosine ?? null, rotation?.sine ?? null]),
        layers.map(({ window }) => window ?? 0),
        cache.rows,
        cache.lengths,
        cache.prefixStarts,
        cache.prefixLengths,
        changed ? layers.flatMap(({ index }) => factors[index]!) : [],
        layers[0]!.scale,
        layers[0]!.softcap ?? 0,
        norm.epsilon,
        norm.weightOffset,
        activation,
      ),
    dispose: () => {
      for (const tensor of factors.flatMap((of) => of.splice(0))) tensor?.dispose();
    },
  };
}
