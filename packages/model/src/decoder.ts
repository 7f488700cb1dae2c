// One decoder for all families: all differences between them are in its DecoderConfig.
import {
  atOnce,
  type DType,
  fromTypedArray,
  ops,
  type Recomputation,
  type Steps,
  type Tensor,
  tidy,
} from '@keel/torch';
import type { Attention, AttentionLayer, Rotation } from './attention.ts';
import type { Activation, DecoderConfig, RotaryConfig } from './decoder-config.ts';
import { type Block, type DecoderWeights, type Norm, trainsBlock } from './decoder-weights.ts';
import type { DividedWeights } from './divided-weights.ts';
import type { WatchedFile } from './formats/watched-file.ts';
import { applyLinears, type Linear } from './linear.ts';

export interface ForwardOptions {
  /** Adapter applied to the linear layers, or null. */
  adapter?: string | null;
  /** Turns dropout on. */
  training?: boolean;
  /** Blocks hold only their input for backward, and are computed again there. */
  recomputation?: Recomputation | null;
  /** Adds noise to the embeddings: [T, hidden] to the same. */
  embeddingNoise?: ((embeddings: Tensor) => Tensor) | undefined;
  /**
   * [N] int64: the tokens whose states are needed. Past the last attention, only those are
   * computed.
   */
  wanted?: Tensor | null;
}

/**
 * A decoder-only language model: from tokens to hidden states. Losses and sampling are elsewhere.
 */
export class Decoder {
  readonly config: DecoderConfig;
  readonly weights: DecoderWeights;
  /** Type of activations and products. */
  readonly computeType: DType;
  /** The mapped files that contain the weights. */
  files: readonly WatchedFile[] = [];
  /** The weights that are gathered before they are used; null: all are here. */
  divided: DividedWeights | null = null;

  constructor(config: DecoderConfig, weights: DecoderWeights, computeType: DType) {
    this.config = config;
    this.weights = weights;
    this.computeType = computeType;
  }

  /**
   * Hidden states after the final norm.
   * @param tokens [T] int64
   * @param positions [T], positions in their own sequences
   * @returns [T, hidden], or [N, hidden] of the wanted tokens
   * @throws RangeError if a sequence is longer than the model's maximum number of positions
   */
  hidden(
    tokens: Tensor,
    positions: Int32Array,
    attention: Attention,
    options: ForwardOptions = {},
  ): Tensor {
    return atOnce(this.hiddenSteps(tokens, positions, attention, options));
  }

  /** @throws CheckpointError if a file that contains weights has changed since it was opened */
  checkFiles(): void {
    for (const file of this.files) file.check();
  }

  /**
   * As {@link hidden}, with a pause after every block. Divided weights are gathered in time.
   * @throws Error if divided weights are trained without recomputation
   */
  *hiddenSteps(
    tokens: Tensor,
    positions: Int32Array,
    attention: Attention,
    options: ForwardOptions = {},
  ): Steps<Tensor> {
    const { config, weights, divided } = this;
    const { adapter = null, recomputation = null } = options;
    this.#checkPositions(positions);
    this.checkFiles();
    if (divided !== null) yield* divided.embedding.hold();
    divided?.blocks[0]?.prefetch();
    divided?.blocks[1]?.prefetch();
    let state = this.#embed(tokens); // [T, hidden]
    if (options.embeddingNoise) state = state.add(options.embeddingNoise(state));
    if (config.embeddingScale !== 1) state = state.mul(config.embeddingScale);
    if (weights.positions !== null) {
      const places = fromTypedArray(Int32Array.from(positions)).to({ device: tokens.device });
      state = state.add(ops.embedding(weights.positions, places).to(this.computeType));
    }
    divided?.embedding.release();
    if (divided !== null) recomputation?.useBelow(divided.embedding);
    const wide = this.computeType === 'float64' ? 'float64' : 'float32';
    const rotations = new Map<RotaryConfig, Rotation>();
    for (const layer of new Set(config.layers.map((one) => one.rotary))) {
      if (layer !== null) rotations.set(layer, rotation(layer, positions, wide, tokens.device));
    }
    const rotary = config.layers.map((one) =>
      one.rotary === null ? null : rotations.get(one.rotary)!,
    );
    // Divided weights are gathered one block after the other.
    const whole = divided === null ? this.#whole(state, null, rotary, attention, options) : null;
    if (whole !== null) {
      state.dispose();
      state = whole;
      yield;
    }
    for (const [index, block] of whole === null ? weights.blocks.entries() : []) {
      // The block's intermediate tensors are freed at once; autograd holds what backward needs.
      const run = (input: Tensor): Tensor =>
        this.#block(input, block, index, rotary, attention, options);
      // Below the first trained block nothing is recorded, so nothing needs recomputation.
      const unit = divided?.blocks[index] ?? null;
      if (unit !== null) yield* unit.hold();
      divided?.blocks[index + 2]?.prefetch();
      if (recomputation !== null && (state.requiresGrad || trainsBlock(block, adapter))) {
        state = recomputation.run(state, run, unit);
      } else {
        const next = tidy(() => run(state));
        state.dispose();
        state = next;
        if (unit !== null && state.requiresGrad) {
          throw new Error('divided weights are trained with recomputation only');
        }
      }
      unit?.release();
      yield;
    }
    this.checkFiles();
    return this.#norm(state, weights.finalNorm);
  }

  #embed(tokens: Tensor): Tensor {
    const { embedding } = this.weights;
    const found = ops.isQuantised(embedding)
      ? ops.quantisedRows(embedding, tokens)
      : ops.embedding(embedding, tokens, this.config.untrainedToken ?? -1);
    return found.to(this.computeType);
  }

  /** Logits of hidden states: [N, hidden] -> [N, vocabulary], in float32 or wider. */
  logits(hidden: Tensor): Tensor {
    const head = this.weights.head;
    const wide = ops.linearWide(hidden, head.dtype === hidden.dtype ? head : head.to(hidden.dtype));
    const cap = this.config.logitSoftcap;
    return cap === null ? wide : wide.div(cap).tanh().mul(cap);
  }

  /**
   * Beyond its maximum number of positions a model is undefined: learned positions end, and
   * LongRoPE needs other factors.
   */
  #checkPositions(positions: Int32Array): void {
    const { family, maxPositions } = this.config;
    let last = 0;
    for (const position of positions) if (position > last) last = position;
    if (last < maxPositions) return;
    throw new RangeError(
      `a sequence has ${last + 1} tokens, but this ${family} model supports at most ${maxPositions}. Shorten it with --max-length`,
    );
  }

  #place(index: number): AttentionLayer {
    const { attentionScale: scale, attentionSoftcap: softcap, layers } = this.config;
    return { index, scale, softcap, window: layers[index]!.window };
  }

  /** The state after one block, or after all (null), if there is a kernel for whole blocks. */
  #whole(
    state: Tensor,
    index: number | null,
    rotary: readonly (Rotation | null)[],
    attention: Attention,
    { adapter = null, training = false, wanted = null }: ForwardOptions,
  ): Tensor | null {
    if (attention.blocks === undefined || training || wanted !== null) return null;
    const indices = index === null ? [...this.config.layers.keys()] : [index];
    const layers = indices.map((one) => this.#place(one));
    const rotations = indices.map((one) => rotary[one]!);
    return attention.blocks(state, layers, rotations, adapter);
  }

  #block(
    input: Tensor,
    block: Block,
    index: number,
    rotary: readonly (Rotation | null)[],
    attention: Attention,
    options: ForwardOptions,
  ): Tensor {
    const whole = this.#whole(input, index, rotary, attention, options);
    if (whole !== null) return whole;
    const { adapter = null, training = false, wanted = null } = options;
    const { config } = this;
    const chosen = index === config.layers.length - 1 ? wanted : null;
    const { heads, keyValueHeads, headSize } = config;
    const apply: Apply = (linears, x) => applyLinears(linears, x, adapter, training);
    const rotation = rotary[index]!;

    const normed = this.#norm(input, block.attentionNorm); // [T, hidden]
    const projected = apply(block.queryKeyValue, normed);
    const sizes = [heads * headSize, keyValueHeads * headSize, keyValueHeads * headSize];
    const [q, k, v] = (projected.length === 3 ? projected : projected[0]!.split(sizes, 1)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    let query = q.reshape(-1, heads, headSize); // [T, heads, size]
    let key = k.reshape(-1, keyValueHeads, headSize); // [T, keyValueHeads, size]
    if (block.queryNorm !== null) query = this.#norm(query, block.queryNorm);
    if (block.keyNorm !== null) key = this.#norm(key, block.keyNorm);
    if (rotation !== null) {
      query = ops.rotate(query, rotation.cosine, rotation.sine);
      key = ops.rotate(key, rotation.cosine, rotation.sine);
    }
    const value = v.reshape(-1, keyValueHeads, headSize);
    const attended = attention.attend(query, key, value, this.#place(index));
    // Backward computes the normed input again. Attention's backward is the first that needs the
    // results of the products.
    const merged = this.#release(
      attended.reshape(-1, heads * headSize),
      normed,
      input,
      block.attentionNorm,
    );
    const only = (x: Tensor): Tensor => (chosen === null ? x : x.indexSelect(0, chosen));
    let [update] = apply([block.attentionOutput], only(merged)) as [Tensor];
    if (block.postAttentionNorm !== null) update = this.#norm(update, block.postAttentionNorm);
    // [T, hidden] each
    const [middle, middleNormed] = this.#addNorm(only(input), update, block.mlpNorm);
    update = this.#mlp(middleNormed, block, apply);
    update = this.#release(update, middleNormed, middle, block.mlpNorm);
    if (block.postMlpNorm !== null) update = this.#norm(update, block.postMlpNorm);
    return middle.add(update);
  }

  #mlp(input: Tensor, block: Block, apply: Apply): Tensor {
    const down = (x: Tensor): Tensor => apply([block.down], x)[0]!; // [T, hidden]
    const { activation } = this.config;
    const act = activations[activation];
    const parts = apply(block.gateUp, input); // [T, intermediate] each
    if (this.config.modules.gateUp.form === 'ungated') {
      return down(act(parts[0]!));
    }
    const size = this.config.intermediateSize;
    const [gate, up] = (parts.length === 2 ? parts : parts[0]!.split([size, size], 1)) as [
      Tensor,
      Tensor,
    ];
    if (activation === 'silu') {
      const gated = ops.swiglu(gate, up); // [T, intermediate]
      return ops.releaseSwiglu(down(gated), gated, gate, up);
    }
    if (activation === 'relu') return down(act(gate).mul(up));
    const form = activation === 'gelu_tanh' ? 'tanh' : 'none';
    const gated = ops.geglu(gate, up, form); // [T, intermediate]
    return ops.releaseGeglu(down(gated), gated, gate, up, form);
  }

  /** `y` was computed from `normed`, whose memory is freed until backward needs it. */
  #release(y: Tensor, normed: Tensor, input: Tensor, norm: Norm): Tensor {
    const { kind, epsilon, weightOffset } = this.config.norm;
    if (kind !== 'rms') return y;
    return ops.releaseRmsNorm(y, normed, input, norm.weight, epsilon, weightOffset);
  }

  /** The sum and its norm. */
  #addNorm(input: Tensor, update: Tensor, norm: Norm): [Tensor, Tensor] {
    const { kind, epsilon, weightOffset } = this.config.norm;
    if (kind === 'rms') return ops.addRmsNorm(input, update, norm.weight, epsilon, weightOffset);
    const sum = input.add(update);
    return [sum, this.#norm(sum, norm)];
  }

  /** Normalises over the last dimension, in float32 or wider. */
  #norm(input: Tensor, norm: Norm): Tensor {
    const { kind, epsilon, weightOffset } = this.config.norm;
    if (kind === 'rms') return ops.rmsNorm(input, norm.weight, epsilon, weightOffset);
    const wide = input.dtype === 'float64' ? input : input.to('float32');
    const [weight, bias] = [norm.weight.to(wide.dtype), norm.bias?.to(wide.dtype) ?? null];
    return ops.layerNorm(wide, [input.dim(-1)], weight, bias, epsilon).to(input.dtype);
  }
}

/** Linear layers of one input [T, in], each to its [T, out]. */
type Apply = (layers: readonly Linear[], input: Tensor) => Tensor[];

const activations: Record<Activation, (x: Tensor) => Tensor> = {
  silu: (x) => x.silu(),
  gelu: (x) => x.gelu(),
  gelu_tanh: (x) => x.gelu('tanh'),
  relu: (x) => x.relu(),
};

/**
 * Cosine and sine of every position, [T, half]. Angles are float64, so that large positions stay
 * exact.
 */
function rotation(
  rotary: RotaryConfig,
  positions: Int32Array,
  dtype: DType,
  device: string,
): Rotation {
  const half = rotary.inverseFrequencies.length;
  const cosine = new Float64Array(positions.length * half);
  const sine = new Float64Array(positions.length * half);
  for (let row = 0; row < positions.length; row++) {
    for (let i = 0; i < half; i++) {
      const angle = positions[row]! * rotary.inverseFrequencies[i]!;
      cosine[row * half + i] = Math.cos(angle) * rotary.attentionFactor;
      sine[row * half + i] = Math.sin(angle) * rotary.attentionFactor;
    }
  }
  const place = (values: Float64Array): Tensor =>
    fromTypedArray(values, [positions.length, half]).to({ dtype, device });
  return { cosine: place(cosine), sine: place(sine) };
}
