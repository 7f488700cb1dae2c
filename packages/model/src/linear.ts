import { ops, type Tensor } from '@keel/torch';

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

  /**
   * @param input [T, in]
   * @param adapter name of the adapter to apply, or null
   * @returns [T, out]
   */
  forward(input: Tensor, adapter: string | null, training: boolean): Tensor {
    const { dtype } = input;
    const weight = this.weight.dtype === dtype ? this.weight : this.weight.to(dtype);
    const bias = this.bias === null || this.bias.dtype === dtype ? this.bias : this.bias.to(dtype);
    const pair = adapter === null ? undefined : this.adapters.get(adapter);
    if (pair === undefined) return ops.linear(input, weight, bias); // [T, out]
    const { a, b, scale, dropout } = pair;
    if (!training || dropout === 0) return ops.loraLinear(input, weight, bias, a, b, scale);
    const dropped = ops.dropout(input, dropout, true); // dropout affects only the adapter
    const down = ops.linear(dropped, a.to(dtype)); // [T, rank]
    return ops.linear(input, weight, bias).add(ops.linear(down, b.mul(scale).to(dtype)));
  }
}
