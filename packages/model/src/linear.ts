import { type DType, ops, type Tensor } from '@keel/torch';

/** A low-rank update of a linear layer: x A^T B^T * scale (Hu et al. 2021, arXiv:2106.09685). */
export interface LoraPair {
  /** [rank, in], float32 */
  a: Tensor;
  /** [out, rank], float32 */
  b: Tensor;
  /** alpha / rank, or alpha / sqrt(rank) for rank-stabilised LoRA */
  scale: number;
  dropout: number;
}

/** A linear layer and its adapters. */
export class Linear {
  /** Module name in the checkpoint, e.g. model.layers.0.self_attn.q_proj */
  readonly name: string;
  /** [out, in] */
  weight: Tensor;
  /** [out] */
  bias: Tensor | null;
  readonly adapters = new Map<string, LoraPair>();

  constructor(name: string, weight: Tensor, bias: Tensor | null) {
    this.name = name;
    this.weight = weight;
    this.bias = bias;
  }

  /** Its weight and bias in the type of its input. */
  in(dtype: DType): { weight: Tensor; bias: Tensor | null } {
    const { weight, bias } = this;
    return {
      weight: weight.dtype === dtype ? weight : weight.to(dtype),
      bias: bias === null || bias.dtype === dtype ? bias : bias.to(dtype),
    };
  }
}

/**
 * Applies layers with the same input, such as query, key and value. Those with an adapter share one
 * operator where they can.
 * @param input [T, in]
 * @param adapter name of the adapter to apply, or null
 * @returns [T, out] of each layer
 */
export function applyLinears(
  layers: readonly Linear[],
  input: Tensor,
  adapter: string | null,
  training: boolean,
): Tensor[] {
  const pairs = layers.map(({ adapters }) =>
    adapter === null ? undefined : adapters.get(adapter),
  );
  if (!canShare(layers, pairs, training)) {
    if (layers.length === 1) return [applyAlone(layers[0]!, input, pairs[0])];
    return layers.flatMap((layer) => applyLinears([layer], input, adapter, training));
  }
  const parts = layers.map((layer) => layer.in(input.dtype));
  const weights = parts.map(({ weight }) => weight);
  const biases = parts.flatMap(({ bias }) => bias ?? []);
  const [a, b] = [pairs.map((pair) => pair.a), pairs.map((pair) => pair.b)];
  return ops.loraLinears(input, weights, biases, a, b, pairs[0]!.scale);
}

/** One operator takes layers that all have an adapter with the same scale, and no dropout. */
function canShare(
  layers: readonly Linear[],
  pairs: readonly (LoraPair | undefined)[],
  training: boolean,
): pairs is LoraPair[] {
  const biased = layers.filter(({ bias }) => bias !== null).length;
  return (
    (biased === 0 || biased === layers.length) &&
    pairs.every(
      (pair) =>
        pair !== undefined && pair.scale === pairs[0]!.scale && !(training && pair.dropout > 0),
    )
  );
}

/** A layer without an adapter, or with dropout. [T, in] -> [T, out] */
function applyAlone(layer: Linear, input: Tensor, pair: LoraPair | undefined): Tensor {
  const { dtype } = input;
  const { weight, bias } = layer.in(dtype);
  if (pair === undefined) return ops.linear(input, weight, bias);
  const { a, b, scale, dropout } = pair;
  const dropped = ops.dropout(input, dropout, true); // dropout affects only the adapter
  const down = ops.linear(dropped, a.to(dtype)); // [T, rank]
  return ops.linear(input, weight, bias).add(ops.linear(down, b.mul(scale).to(dtype)));
}
